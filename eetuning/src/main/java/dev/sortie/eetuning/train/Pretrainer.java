package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Random;
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

  /** A trainer of a new model with random weights. */
  public Pretrainer(
      DecoderConfig config, PretrainOptions options, TokenSource data, Device device) {
    if (data.length() > config.context()) {
      throw new InputException(
          "--seq-len "
              + data.length()
              + " is more than the model's context of "
              + config.context());
    }
    this.config = config;
    this.options = options;
    this.data = data;
    this.device = device;
    this.ops = new Ops(device, workspace);
    Weights random = new RandomWeights(new Random(options.seed(), 0), 0.02, config.layers(), arena);
    this.decoder =
        new Decoder(
            config, arena, (name, shape, role) -> random.get(name, shape, role).asParameter());
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
    optimizer.step(device.kernels(), gradients, step + 1, options.schedule().at(step));
    return Map.of(LOSS, total);
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
    return TokenLoss.crossEntropy(ops, decoder.headInput(ops, x), batch.targets(), false, count);
  }

  @Override
  public void close() {
    workspace.close();
    arena.close();
  }
}
