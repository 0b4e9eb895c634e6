package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.PeerWarmUp;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.benchmarks.peer.LineProcess;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One kind of training step on both sides, step by step, with losses that must agree. */
final class StepDuel {
  private static final int PEER_WARM_UP = 2;

  /**
   * F32 on both sides, in different orders of summing: over seven steps of AdamW the losses
   * differed by 2e-7 of themselves; a wrong gradient shows in the second or third step.
   */
  private static final double LOSS_TOLERANCE = 1e-4;

  private final TrainingJob job;
  private final LineProcess peer;
  private final String question;
  private final List<Map<String, Double>> ours = new ArrayList<>();
  private final List<JsonObject> theirs = new ArrayList<>();
  private double lossDifference;

  StepDuel(TrainingJob job, LineProcess peer, String question) {
    this.job = job;
    this.peer = peer;
    this.question = question;
  }

  /**
   * Median seconds of a step: ours, the peer's in F32, and the peer's other variants.
   *
   * @param variants names of the others
   */
  double[] medians(int rounds, List<String> variants) {
    Side[] sides = new Side[2 + variants.size()];
    sides[0] = this::ourStep;
    sides[1] = () -> peerStep("f32");
    for (int i = 0; i < variants.size(); i++) {
      String variant = variants.get(i);
      sides[2 + i] = () -> peerStep(variant);
    }
    PeerWarmUp.run(sides[0]);
    for (int i = 0; i < PEER_WARM_UP; i++) {
      for (int side = 1; side < sides.length; side++) {
        sides[side].seconds();
      }
    }
    double[] seconds = Turns.medians(rounds, sides);
    checkLosses();
    return seconds;
  }

  private double ourStep() {
    long start = System.nanoTime();
    ours.add(job.step(ours.size()));
    return (System.nanoTime() - start) * 1e-9;
  }

  private double peerStep(String variant) {
    JsonObject answer = peer.ask(Map.of("do", question, "variant", variant));
    if (variant.equals("f32")) {
      theirs.add(answer.getObject("losses"));
    }
    return answer.getDouble("seconds", 0, 3600);
  }

  private void checkLosses() {
    for (int step = 0; step < Math.min(ours.size(), theirs.size()); step++) {
      for (String name : job.lossNames()) {
        double mine = ours.get(step).get(name);
        double peers = theirs.get(step).getDouble(name, 0, 1e6);
        PeerAgreement.check(
            question + " step " + (step + 1) + ", loss " + name, mine, peers, LOSS_TOLERANCE);
        lossDifference = Math.max(lossDifference, Math.abs(mine - peers) / peers);
      }
    }
  }

  /** The largest difference of two losses, as a share of the peer's. */
  double lossDifference() {
    return lossDifference;
  }
}
