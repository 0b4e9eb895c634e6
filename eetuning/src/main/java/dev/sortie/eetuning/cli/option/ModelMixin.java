package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.decode.single.KernelWarmUp;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.AvailableMemory;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.ModelMemory;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.ModelPartition;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import picocli.CommandLine.Option;

/**
 * Options that name a model. How its matrices are held unless the user says so differs between
 * commands that use a model ({@link UsedModelMixin}) and one that trains on it ({@link
 * TunedModelMixin}).
 */
public abstract sealed class ModelMixin permits UsedModelMixin, TunedModelMixin {
  private static final long LARGE = 64 << 20;

  @Option(names = "--model", required = true, paramLabel = "M", description = ModelName.HELP)
  private String model;

  private ModelMemory memory;
  private AvailableMemory available;

  /** How its matrices are held. */
  abstract Precision precision();

  /** How decoding multiplies with them. */
  Arithmetic arithmetic() {
    return Arithmetic.EXACT;
  }

  /** The folder or file. */
  public Path path() {
    return ModelName.path(model);
  }

  /** Loads it; of a large one it is said first what memory it takes. */
  public LanguageModel load(Device device) {
    return load(device, config -> DecoderBuilder.WHOLE, false);
  }

  /**
   * Loads the part of it that a rank computes with; of a large one rank 0 says what it takes.
   *
   * @param part makes this rank's part of a decoder
   * @param silent whether another rank speaks
   */
  public LanguageModel load(
      Device device, Function<DecoderConfig, DecoderBuilder> part, boolean silent) {
    return load(device, part, silent, tokenizer -> KernelWarmUp.LONG_PROMPT, true);
  }

  /**
   * As above, for a known prompt.
   *
   * @param prompt how many tokens it has
   * @param drafts whether drafts are verified
   */
  public LanguageModel load(
      Device device,
      Function<DecoderConfig, DecoderBuilder> part,
      boolean silent,
      ToIntFunction<Tokenizer> prompt,
      boolean drafts) {
    KernelWarmUp kernels = new KernelWarmUp(precision(), arithmetic(), device, prompt, drafts);
    LanguageModel loaded = load(device, part, silent, kernels);
    kernels.await();
    return loaded;
  }

  /** As above, with a warm-up of its own, which is begun and not awaited. */
  public LanguageModel load(
      Device device,
      Function<DecoderConfig, DecoderBuilder> part,
      boolean silent,
      KernelWarmUp kernels) {
    Arithmetic arithmetic = arithmetic().on(device);
    ModelFiles files = ModelFiles.open(path(), kernels::begin);
    DecoderBuilder builder;
    try {
      kernels.expect(files.tokenizer());
      builder = part.apply(files.config().decoder());
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
    memory = ModelMemory.of(files, precision(), arithmetic, builder);
    available = AvailableMemory.now();
    if (!silent) {
      announce(files, memory, available);
    }
    return LanguageModel.load(files, precision(), arithmetic, device, builder);
  }

  /** Opens its files, to be closed. */
  public ModelFiles open() {
    return ModelFiles.open(path());
  }

  /** What a part of it takes once it is loaded for exact arithmetic, as training does. */
  public ModelMemory memory(ModelFiles files, ModelPartition part) {
    return ModelMemory.of(files, precision(), Arithmetic.EXACT, part);
  }

  /** Loads it without reading its weights, where the file can be mapped. */
  public LanguageModel loadUnread(Device device) {
    return LanguageModel.load(ModelFiles.open(path()), Precision.FILE, device);
  }

  /** Loads what {@code builder} makes of it. */
  public LanguageModel load(Device device, DecoderBuilder builder, boolean silent) {
    return load(device, config -> builder, silent);
  }

  /** The same for a model that other options name, and how it is held and used. */
  public static LanguageModel load(
      String model, Precision precision, Arithmetic arithmetic, Device device) {
    ModelFiles files = ModelFiles.open(ModelName.path(model));
    ModelMemory memory =
        ModelMemory.of(files, precision, arithmetic.on(device), ModelPartition.WHOLE);
    announce(files, memory, AvailableMemory.now());
    return LanguageModel.load(files, precision, arithmetic, device, DecoderBuilder.WHOLE);
  }

  private static void announce(ModelFiles files, ModelMemory memory, AvailableMemory available) {
    if (memory.resident() >= LARGE) {
      System.err.printf(
          "%s: %s; %s%s%n",
          files.path().getFileName(),
          memory.describe(),
          available.describe(),
          memory.resident() > available.bytes()
              ? ", so that it will be read from the file again and again"
              : "");
    }
  }

  /** The memory of the model that was loaded last, for JSON. */
  public Map<String, Object> memory() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("resident_bytes", memory.resident());
    json.put("copied_bytes", memory.copied());
    json.put("tiles_bytes", memory.tiles());
    json.put("in_place_bytes", memory.inPlace());
    json.put("tables_bytes", memory.tables());
    json.put("kv_bytes_per_token", memory.kvPerToken());
    json.put("available_bytes", available.bytes());
    return json;
  }
}
