package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.compare.TrainingPeers.Way;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.PeerWarmUp;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A training step here and at the peers, step by step, with losses that must agree. The fastest
 * peer of the run is the one that Sortie is compared with.
 */
final class StepDuel {
  /** The first step of a peer compiles. */
  private static final int PEER_WARM_UP = 2;

  /**
   * F32 on all sides, in different orders of summing: over seven steps of AdamW the losses differed
   * by 2e-7 of themselves; a wrong gradient shows in the second or third step.
   */
  private static final double LOSS_TOLERANCE = 1e-4;

  private final TrainingJob job;
  private final List<Way> ways;
  private final List<Map<String, Double>> ours = new ArrayList<>();
  private final Map<Way, List<JsonObject>> theirs = new LinkedHashMap<>();

  StepDuel(TrainingJob job, List<Way> ways) {
    this.job = job;
    this.ways = ways;
    ways.forEach(way -> theirs.put(way, new ArrayList<>()));
  }

  /**
   * Measures.
   *
   * @param name of the row
   * @param tokens of a step
   * @throws DisagreementException if losses differ
   */
  Comparison.Measured run(String name, int tokens, int rounds) {
    Side[] sides = new Side[1 + ways.size()];
    sides[0] = this::ourStep;
    for (int i = 0; i < ways.size(); i++) {
      Way way = ways.get(i);
      sides[1 + i] = () -> peerStep(way);
    }
    PeerWarmUp.run(sides[0]);
    for (int i = 0; i < PEER_WARM_UP; i++) {
      for (int side = 1; side < sides.length; side++) {
        sides[side].seconds();
      }
    }
    return compared(name, tokens, Turns.medians(rounds, sides));
  }

  /**
   * The row.
   *
   * @param seconds of a step here, then of each way
   */
  private Comparison.Measured compared(String name, int tokens, double[] seconds) {
    Map<String, Object> extra = new LinkedHashMap<>();
    int best = 0;
    double lossDifference = 0;
    for (int i = 0; i < ways.size(); i++) {
      Way way = ways.get(i);
      extra.put("peer_" + way.variant(), Figure.rounded(tokens / seconds[1 + i]));
      if (way.equal()) {
        lossDifference = Math.max(lossDifference, lossDifference(way));
        best = seconds[1 + i] < seconds[1 + best] ? i : best;
      }
    }
    extra.put("loss_difference", Figure.rounded(lossDifference));
    double rate = tokens / seconds[0];
    double peer = tokens / seconds[1 + best];
    return new Comparison.Measured(
        ways.get(best).name(), List.of(new Row(name, "f32", rate, peer, "tokens/s", extra)));
  }

  private double ourStep() {
    long start = System.nanoTime();
    ours.add(job.step(ours.size()));
    return (System.nanoTime() - start) * 1e-9;
  }

  private double peerStep(Way way) {
    JsonObject answer = way.process().ask(Map.of("variant", way.variant()));
    theirs.get(way).add(answer.getObject("losses"));
    return answer.getDouble("seconds", 0, 3600);
  }

  /** The largest difference of two losses, as a share of the peer's; checked. */
  private double lossDifference(Way way) {
    double largest = 0;
    List<JsonObject> peers = theirs.get(way);
    for (int step = 0; step < Math.min(ours.size(), peers.size()); step++) {
      for (String name : job.lossNames()) {
        double mine = ours.get(step).get(name);
        double peer = peers.get(step).getDouble(name, 0, 1e6);
        PeerAgreement.check(
            "%s, step %d, loss %s".formatted(way.name(), step + 1, name),
            mine,
            peer,
            LOSS_TOLERANCE);
        largest = Math.max(largest, Math.abs(mine - peer) / peer);
      }
    }
    return largest;
  }
}
