package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.load.BasisRequest;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.text.data.TextWindows;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;

/** Options of a conversion after which layers share bases. */
public final class SharedBasesMixin {
  private static final int LENGTH = 512;
  private static final int SAMPLES = 64;
  private static final long SEED = 1;

  @Option(
      names = "--share-basis",
      paramLabel = "LAYERS",
      description =
          "Replace the projections of layers by products of low rank, calibrated on "
              + "--data: this many neighbouring layers share a basis for each of q, k, v, "
              + "gate and up; o and down have one in each layer. 1 shares nothing. Needs "
              + "--rank or --keep. See docs/shared-bases.md.")
  private Integer layers;

  @Option(
      names = "--rank",
      paramLabel = "R",
      description =
          "Vectors of each basis; kinds of projections whose full rank is lower have "
              + "that. Of a model that shares bases: cut them to R, without --data.")
  private Integer rank;

  @Option(
      names = "--keep",
      paramLabel = "X",
      description =
          "Instead of --rank: the rank at which basis and coefficients of each kind of "
              + "projection have this share of its numbers, above 0 and up to 1.")
  private Double keep;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "With --share-basis: a text to calibrate on; can be given several times." + ReadOnce.HELP)
  private List<Path> data = List.of();

  @Option(
      names = "--samples",
      paramLabel = "N",
      description = "Windows of the text to calibrate on. Default: " + SAMPLES + ".")
  private Integer samples;

  @Option(
      names = "--seq-len",
      paramLabel = "N",
      description = "Tokens of a window. Default: 512, or the model's context if it is shorter.")
  private Integer length;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Chooses the windows. Default: " + SEED + ".")
  private Long seed;

  /** For picocli. */
  public SharedBasesMixin() {}

  /** Checks options that go together; returns whether bases are asked for. */
  public boolean isGiven() {
    boolean calibrated = !data.isEmpty() || samples != null || length != null || seed != null;
    if (layers == null && calibrated) {
      throw new UsageException(
          "--data, --samples, --seq-len and --seed are for --share-basis; give that too, or leave them out");
    }
    if (layers == null && rank == null && keep == null) {
      return false;
    }
    if (layers != null && data.isEmpty()) {
      throw new UsageException("--share-basis needs a text to calibrate on; give --data FILE");
    }
    require("--share-basis", layers);
    request();
    require("--samples", samples);
    require("--seq-len", length);
    return true;
  }

  private static void require(String option, Integer value) {
    if (value != null && value < 1) {
      throw new UsageException(option + " is " + value + ", below 1");
    }
  }

  /** Whether bases are made, and not those of a model cut. */
  public boolean makes() {
    return layers != null;
  }

  /** The bases of the result. */
  public SharedBases bases(ModelFiles files) {
    DecoderConfig config = files.config().decoder();
    if (layers != null) {
      return request().of(config, layers);
    }
    if (config.switches().bases().isNone()) {
      throw new InputException(
          files.path()
              + " shares no bases that --rank or --keep could cut; give --share-basis too");
    }
    return request().cut(config);
  }

  private BasisRequest request() {
    return new BasisRequest(
        rank == null ? OptionalInt.empty() : OptionalInt.of(rank),
        keep == null ? OptionalDouble.empty() : OptionalDouble.of(keep));
  }

  /** The windows to calibrate on. */
  public List<int[]> windows(ModelFiles files) {
    int context = files.config().decoder().context();
    int tokens = length == null ? Math.min(LENGTH, context) : length;
    if (tokens > context) {
      throw new InputException(
          "--seq-len %d is longer than the model's context of %d".formatted(tokens, context));
    }
    int[] ids =
        data.stream()
            .map(file -> files.tokenizer().encode(TextFiles.read(file, TextFiles.CORPUS)))
            .flatMapToInt(IntStream::of)
            .toArray();
    try {
      return TextWindows.some(
          ids, tokens, samples == null ? SAMPLES : samples, seed == null ? SEED : seed);
    } catch (InputException e) {
      throw new InputException("--data: " + e.getMessage(), e);
    }
  }
}
