package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Sha256;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Stage 2 of EE-Tuning (arXiv 2402.00518): the backbone runs forward without gradients, no deeper
 * than needed, and each exit is trained as an independent problem on the hidden states at its
 * depth, with its own gradients, clipping and optimiser. So exits tuned together equal exits tuned
 * one by one.
 */
public final class ExitTuner implements TrainingJob, AutoCloseable {
  private final LanguageModel model;
  private final TuneOptions options;
  private final TokenSource data;
  private final Device device;
  private final NativeArena arena = new NativeArena("tuner");
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final Exits exits;
  private final String startSha256;
  private final List<Trainee> trainees = new ArrayList<>();
  private final Gradients gradients;

  /** An exit under training. */
  private record Trainee(Exit exit, double weight, AdamW optimizer) {
    String name() {
      return String.valueOf(exit.depth());
    }
  }

  /** What the backbone left for one exit: its hidden state and the residual after attention. */
  private record Tapped(Tensor x, Tensor a) {}

  /**
   * A tuner.
   *
   * @param start exits to begin with, not changed
   */
  public ExitTuner(
      LanguageModel model, Exits start, TuneOptions options, TokenSource data, Device device) {
    this.model = model;
    this.options = options;
    this.data = data;
    this.device = device;
    this.ops = new Ops(device, workspace);
    check(model, start, options, data.length());
    List<Exit> trainable = start.exits().stream().map(this::trainable).toList();
    this.exits = new Exits(start.backboneSha256(), start.tuning(), trainable);
    for (Exit e : exits.exits()) {
      AdamW optimizer = new AdamW(options.adamW(), arena, device.kernels(), e.parameters());
      double weight = options.exitWeights().getOrDefault(e.depth(), 1.0);
      trainees.add(new Trainee(e, weight, optimizer));
    }
    this.gradients =
        new Gradients(
            arena,
            device.kernels(),
            exits.exits().stream().flatMap(e -> e.parameters().values().stream()).toList());
    this.startSha256 = hash(start);
  }

  /**
   * Refuses exits and options that cannot be tuned together, before any file is written.
   *
   * @param length tokens in a sequence
   */
  public static void check(LanguageModel model, Exits start, TuneOptions options, int length) {
    int context = model.config().decoder().context();
    if (length > context) {
      throw new InputException(
          "--seq-len " + length + " is more than the model's context of " + context);
    }
    for (Exit e : start.exits()) {
      if (e.parameters().isEmpty()) {
        throw new InputException(
            "the exit at depth "
                + e.depth()
                + " ("
                + e.spec().architecture().word()
                + " with the backbone's head) has nothing to tune; add it with --head own");
      }
    }
    for (int depth : options.exitWeights().keySet()) {
      if (!start.depths().contains(depth)) {
        throw new InputException(
            "--exit-weight names depth " + depth + ", but the exits stand at " + start.depths());
      }
    }
  }

  /** Of all tensors: a run is resumed only from the same start. */
  private static String hash(Exits start) {
    Sha256 sha = new Sha256();
    for (Exit e : start.exits()) {
      e.parameters().values().forEach(t -> sha.update(t.span()));
    }
    return sha.hex();
  }

  private Exit trainable(Exit e) {
    return new Exit(
        e.spec(),
        model.decoder(),
        (name, shape, role) -> {
          Tensor copy = Tensor.allocate(arena, dev.sortie.tensor.DType.F32, shape);
          device.kernels().copy(e.parameters().get(name).span(), copy.span());
          return copy.asParameter();
        });
  }

  /** The exits in their present state, with what they are tuned with. */
  public Exits exits(Map<String, Object> tuning) {
    return new Exits(exits.backboneSha256(), tuning, exits.exits());
  }

  /** The most bytes of temporaries in use at one time until now. */
  public long workspaceBytes() {
    return workspace.peak();
  }

  @Override
  public Map<String, Object> fingerprint() {
    Map<String, Object> m = new LinkedHashMap<>(options.describe());
    m.put("seq_len", data.length());
    m.put("data", data.fingerprint());
    m.put("backbone", model.sha256());
    m.put(
        "exits",
        exits.exits().stream().map(e -> e.depth() + " " + e.spec().architecture().word()).toList());
    m.put("exits_start", startSha256);
    return m;
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    for (Trainee t : trainees) {
      t.exit.parameters().forEach((name, p) -> all.put("exits." + t.name() + "." + name, p));
      t.optimizer
          .state()
          .forEach((name, s) -> all.put("exits." + t.name() + ".optimizer." + name, s));
    }
    return all;
  }

  @Override
  public List<String> lossNames() {
    return trainees.stream().map(Trainee::name).toList();
  }

  @Override
  public long tokensPerStep() {
    return (long) options.globalBatch() * data.length();
  }

  @Override
  public Map<String, Double> step(int step) {
    gradients.zero();
    Map<String, Double> losses = new LinkedHashMap<>();
    for (int m = 0; m < options.microBatches(); m++) {
      long first = (long) step * options.globalBatch() + (long) m * options.microBatch();
      int[][] windows = data.windows(first, options.microBatch());
      eachLoss(
          windows,
          tokensPerStep(),
          (group, loss) -> {
            Backward.run(device.kernels(), workspace, weighted(group, loss), gradients);
            sum(losses, group, loss);
          });
    }
    double rate = options.schedule().at(step);
    trainees.forEach(t -> t.optimizer.step(device.kernels(), gradients, step + 1, rate));
    return losses;
  }

  /** The weights scale the gradients, not the losses that are reported. */
  private Tensor weighted(List<Trainee> group, Tensor losses) {
    Tensor weights = ops.empty(losses.dtype(), losses.shape());
    for (int i = 0; i < group.size(); i++) {
      weights.span().set(i, group.get(i).weight);
    }
    return ops.sum(ops.mul(losses, weights));
  }

  private static void sum(Map<String, Double> sums, List<Trainee> group, Tensor losses) {
    for (int i = 0; i < group.size(); i++) {
      sums.merge(group.get(i).name(), losses.span().get(i), Double::sum);
    }
  }

  @Override
  public Map<String, Double> validate() {
    Map<String, Double> losses = new LinkedHashMap<>();
    int count = data.validationCount();
    for (int from = 0; from < count; from += options.microBatch()) {
      int[][] windows = data.validation(from, options.microBatch());
      NoGrad.run(
          () ->
              eachLoss(
                  windows,
                  (double) count * data.length(),
                  (group, loss) -> sum(losses, group, loss)));
    }
    return losses;
  }

  private interface LossUser {
    /** Takes the losses of some exits, one number each. */
    void accept(List<Trainee> group, Tensor losses);
  }

  /**
   * Runs the backbone once, then the exits' losses, which {@code user} gets. Cross-entropy goes
   * exit by exit, and temporaries are given back after each; divergences of all exits are computed
   * together, for they share the teacher's logits.
   */
  private void eachLoss(int[][] windows, double count, LossUser user) {
    try (var _ = workspace.mark()) {
      Batch batch = Batch.of(workspace, windows);
      Map<Integer, Tapped> tapped = new HashMap<>();
      boolean confident = options.confidenceWeights();
      if (options.objective() == Objective.KL) {
        HeadInput teacher = NoGrad.call(() -> teacher(batch, tapped));
        List<HeadInput> students = trainees.stream().map(t -> branch(t, tapped)).toList();
        user.accept(
            trainees, TokenLoss.kl(ops, students, teacher, batch.targets(), confident, count));
        return;
      }
      NoGrad.run(() -> backbone(batch, exits.deepest(), tapped));
      for (Trainee t : trainees) {
        try (var _ = workspace.mark()) {
          HeadInput in = branch(t, tapped);
          user.accept(
              List.of(t), TokenLoss.crossEntropy(ops, in, batch.targets(), confident, count));
        }
      }
    }
  }

  private HeadInput branch(Trainee t, Map<Integer, Tapped> tapped) {
    Tapped in = tapped.get(t.exit.depth());
    return t.exit.headInput(ops, in.x, in.a);
  }

  private HeadInput teacher(Batch batch, Map<Integer, Tapped> tapped) {
    Tensor x = backbone(batch, model.config().decoder().layers(), tapped);
    return model.decoder().headInput(ops, x);
  }

  private Tensor backbone(Batch batch, int depth, Map<Integer, Tapped> tapped) {
    List<Integer> wanted = exits.depths();
    return model
        .decoder()
        .forward(
            ops,
            batch.inputs(),
            depth,
            new Decoder.Tap() {
              @Override
              public void see(int d, Tensor a, Tensor y) {
                if (keeps(d)) {
                  tapped.put(d, new Tapped(y, a));
                }
              }

              @Override
              public boolean keeps(int d) {
                return wanted.contains(d);
              }
            });
  }

  @Override
  public void close() {
    workspace.close();
    arena.close();
  }
}
