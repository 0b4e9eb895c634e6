package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Part;
import dev.sortie.nn.PartWeights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.parallel.shard.ShareBuilder;
import dev.sortie.parallel.shard.ShareGradients;
import dev.sortie.parallel.shard.TensorParallel;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** Trains a decoder from scratch on next-token cross-entropy. */
public final class Pretrainer implements TrainingJob, AutoCloseable {
  private static final String LOSS = "final";

  private final DecoderConfig config;
  private final PretrainOptions options;
  private final TokenSource data;
  private final Device device;
  private final NativeArena arena = new NativeArena("pretrainer");
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final Decoder decoder;
  private final Gradients gradients;
  private final AdamW optimizer;
  private final Optional<ShareBuilder> share;
  private final Optional<ShareGradients> shares;

  /** Weights that collect gradients. */
  private record Trainable(PartWeights source) implements PartWeights {
    @Override
    public Tensor get(String name, Shape shape, Role role) {
      return source.get(name, shape, role).asParameter();
    }

    @Override
    public Tensor get(String name, Shape whole, Role role, Part part) {
      return source.get(name, whole, role, part).asParameter();
    }
  }

  /** A trainer of a new model with random weights. */
  public Pretrainer(
      DecoderConfig config, PretrainOptions options, TokenSource data, Device device) {
    this(config, options, data, device, Optional.empty());
  }

  /**
   * A trainer of one rank's share of a new model, whose numbers are those that a whole model has
   * there. All ranks see the same data and make the same calls.
   *
   * @param share this rank's, or empty where it has everything
   */
  public Pretrainer(
      DecoderConfig config,
      PretrainOptions options,
      TokenSource data,
      Device device,
      Optional<ShareBuilder> share) {
    if (data.length() > config.context()) {
      throw new InputException(
          "--seq-len "
              + data.length()
              + " is more than the model's context of "
              + config.context());
    }
    share
        .filter(s -> s.sequence() && data.length() % s.group().size() != 0)
        .ifPresent(
            s -> {
              throw new InputException(
                  "--seq-len %d must be a multiple of the %d ranks that share out its tokens"
                      .formatted(data.length(), s.group().size()));
            });
    this.config = config;
    this.options = options;
    this.data = data;
    this.device = device;
    this.ops = new Ops(device, workspace);
    PartWeights random =
        new RandomWeights(new Random(options.seed(), 0), 0.02, config.layers(), arena);
    DecoderBuilder builder = share.isPresent() ? share.get() : DecoderBuilder.WHOLE;
    this.decoder = builder.build(config, arena, new Trainable(random));
    this.share = share;
    this.shares =
        decoder.sharding() instanceof TensorParallel tp
            ? Optional.of(new ShareGradients(tp, decoder.parameters()))
            : Optional.empty();
    this.gradients = new Gradients(arena, device.kernels(), decoder.parameters().values());
    this.optimizer = new AdamW(options.adamW(), arena, device.kernels(), decoder.parameters());
  }

  /** The model in its present state. */
  public Decoder decoder() {
    return decoder;
  }

  /** Bytes of temporaries held from the OS; steady once the largest step is done. */
  public long workspaceBytes() {
    return workspace.reserved();
  }

  @Override
  public Map<String, Object> fingerprint() {
    Map<String, Object> m = new LinkedHashMap<>(options.describe());
    m.put("seq_len", data.length());
    m.put("data", data.fingerprint());
    m.put("model", config.toString());
    share.ifPresent(
        s -> {
          m.put("tp", s.group().size());
          m.put("tp_rank", s.group().position());
          m.put("sp", s.sequence());
        });
    return m;
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>(decoder.parameters());
    optimizer.state().forEach((name, t) -> all.put("optimizer." + name, t));
    return all;
  }

  @Override
  public List<String> lossNames() {
    return List.of(LOSS);
  }

  @Override
  public long tokensPerStep() {
    return (long) options.globalBatch() * data.length();
  }

  @Override
  public Map<String, Double> step(int step) {
    gradients.zero();
    double total = 0;
    for (int m = 0; m < options.globalBatch(); m += options.microBatch()) {
      long first = (long) step * options.globalBatch() + m;
      int[][] windows = data.windows(first, options.microBatch());
      try (var _ = workspace.mark()) {
        Tensor loss = loss(windows, tokensPerStep());
        total += loss.item();
        Backward.run(device.kernels(), workspace, loss, gradients);
      }
    }
    update(step);
    return Map.of(LOSS, total);
  }

  private void update(int step) {
    double rate = options.schedule().at(step);
    if (shares.isEmpty()) {
      optimizer.step(device.kernels(), gradients, step + 1, rate);
      return;
    }
    try (var _ = workspace.mark()) {
      double norm = shares.get().finish(device.kernels(), workspace, gradients);
      optimizer.step(device.kernels(), gradients, step + 1, rate, norm);
    }
  }

  @Override
  public Map<String, Double> validate() {
    int count = data.validationCount();
    double total = 0;
    for (int from = 0; from < count; from += options.microBatch()) {
      int[][] windows = data.validation(from, options.microBatch());
      try (var _ = workspace.mark()) {
        total += NoGrad.call(() -> loss(windows, (double) count * data.length()).item());
      }
    }
    return count == 0 ? Map.of() : Map.of(LOSS, total);
  }

  private Tensor loss(int[][] windows, double count) {
    Batch batch = Batch.of(workspace, windows);
    Tensor x = decoder.forward(ops, batch.inputs(), config.layers(), Decoder.Tap.NONE);
    return TokenLoss.crossEntropy(
        ops, decoder.sharding(), decoder.headInput(ops, x), batch.targets(), false, count);
  }

  @Override
  public void close() {
    shares.ifPresent(ShareGradients::close);
    workspace.close();
    arena.close();
  }
}
