package dev.sortie.eetuning.train.data;

import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.chat.PromptKey;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * Text that a model samples of itself, as a token file: what exits are tuned on that shall predict
 * what the model itself would say. Files lie in a folder named by a hash of all that decides the
 * ids; a batch that is done is not sampled again.
 *
 * @param model the model
 * @param settings what is sampled
 * @param device where to compute
 */
public record SelfGeneratedText(LanguageModel model, Settings settings, Device device) {
  /** Tokens per row. */
  static final int LENGTH = 384;

  /** Keys and values of all rows at most, in bytes. */
  private static final long CACHE_BYTES = 1L << 30;

  private static final int MOST_ROWS = 128;

  /** Days of sampling. */
  private static final long MOST_TOKENS = 10_000_000_000L;

  /**
   * What is sampled.
   *
   * @param tokens about how many
   * @param temperature of sampling
   * @param seed of everything
   * @param openings text files from which some texts take their first words
   */
  public record Settings(long tokens, double temperature, long seed, List<Path> openings) {
    public Settings {
      openings = List.copyOf(openings);
      if (tokens < 1 || tokens > MOST_TOKENS) {
        throw new UsageException("--self-tokens " + tokens + " must be from 1 to " + MOST_TOKENS);
      }
      if (!(temperature > 0 && temperature <= 100)) {
        throw new UsageException(
            "--self-temperature " + temperature + " must be above 0, up to 100");
      }
    }
  }

  /** Rows of a batch: as many as there is room for their keys and values. */
  private int rows(int length) {
    var c = model.config().decoder();
    long row = 2L * c.layers() * c.kvHeads() * c.headSize() * Float.BYTES * length;
    return Math.clamp(CACHE_BYTES / row, 8, MOST_ROWS);
  }

  private int length() {
    return Math.min(LENGTH, model.config().decoder().context());
  }

  /** Batches needed. */
  private int batches() {
    long each = (long) rows(length()) * length();
    return Math.toIntExact((settings.tokens() + each - 1) / each);
  }

  /** Tokens that {@link #file} will hold. */
  public long tokens() {
    return (long) batches() * rows(length()) * length();
  }

  /**
   * The token file, sampled now if it is not there.
   *
   * @param parent folder of such files
   * @param progress gets the number of tokens that are there
   */
  public Path file(Path parent, LongConsumer progress) {
    Map<String, Object> key = key();
    Path folder = Folders.keyed(parent, key);
    Path all = folder.resolve("tokens.bin");
    if (Files.exists(all)) {
      return all;
    }
    Folders.create(folder);
    Json.write(folder.resolve("self.json"), key);
    List<Path> parts = new ArrayList<>();
    for (int i = 0; i < batches(); i++) {
      Path part = folder.resolve("batch-%04d.bin".formatted(i));
      long before = (long) i * rows(length()) * length();
      if (Files.notExists(part)) {
        int[][] texts = batch(i, done -> progress.accept(before + (long) done * rows(length())));
        TokenDataset.write(Stream.of(texts), model.config().decoder().vocab(), part);
      }
      parts.add(part);
    }
    TokenDataset.write(
        parts.stream().map(SelfGeneratedText::ids), model.config().decoder().vocab(), all);
    return all;
  }

  private int[][] batch(int number, java.util.function.IntConsumer progress) {
    Random random = new Random(settings.seed(), 0).stream("self").stream(number);
    SamplingOptions sampling =
        new SamplingOptions(settings.temperature(), 0, 1, 0, 1, settings.seed());
    return new ParallelSampler(model.decoder(), sampling, device)
        .texts(
            new SelfGeneratedPrompts(model, settings.openings(), random),
            rows(length()),
            length(),
            Set.copyOf(Prompt.endsOfAnswer(model)),
            number,
            progress);
  }

  private static int[] ids(Path part) {
    try (TokenDataset data = TokenDataset.open(part)) {
      return data.all();
    }
  }

  private Map<String, Object> key() {
    Map<String, Object> key = new LinkedHashMap<>();
    key.put("format", 1);
    key.put("model", model.statesSha256());
    key.put("weights", types(model));
    key.putAll(PromptKey.of(model, true));
    key.put("tokens", tokens());
    key.put("rows", rows(length()));
    key.put("temperature", settings.temperature());
    key.put("seed", settings.seed());
    key.put("openings", settings.openings().stream().map(Sha256::of).toList());
    key.put("kernels", device.kernels().name());
    return key;
  }

  /** How many tensors of a model are held in each type. */
  public static Map<String, Object> types(LanguageModel model) {
    Map<String, Integer> types = new TreeMap<>();
    model
        .decoder()
        .parameters()
        .values()
        .forEach(t -> types.merge(t.dtype().name(), 1, Integer::sum));
    return new TreeMap<>(types);
  }
}
