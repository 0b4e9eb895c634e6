package dev.sortie.eetuning.sample;

import dev.sortie.eetuning.decode.chat.PromptKey;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Samples texts into a folder until enough tokens of them pass the filters. A folder that was begun
 * resumes where it is; the result has the same bytes.
 *
 * @param model the model
 * @param device where to compute
 * @param table what is sampled
 * @param settings how much of it
 */
public record SampleRun(LanguageModel model, Device device, SampleTable table, Settings settings) {
  /** Texts of a shard. A run that is killed loses the one that it was at, a minute of work. */
  private static final int SHARD = 32;

  /** Shards without a text that passes, after which nothing is hoped for. */
  private static final int HOPELESS = 16;

  private static final long MOST_TOKENS = 10_000_000_000L;

  /**
   * How much is sampled.
   *
   * @param tokens of texts that pass the filters, at least
   * @param seed of prompts, texts and shares
   * @param batch texts at once, which shows in no result
   * @param shares of prompts that are held out
   */
  public record Settings(long tokens, long seed, int batch, SplitShares shares) {
    public Settings {
      if (tokens < 1 || tokens > MOST_TOKENS) {
        throw new UsageException("--tokens " + tokens + " is outside 1 to " + MOST_TOKENS);
      }
      if (batch < 1 || batch > 1024) {
        throw new UsageException("--batch " + batch + " is outside 1 to 1024");
      }
    }
  }

  /** Who is told how it goes. */
  public interface Listener {
    /** {@code shards} that were there have texts of {@code tokens} tokens that pass. */
    void resumed(int shards, long tokens);

    /**
     * A step of the batch.
     *
     * @param kept tokens of texts that pass
     * @param texts looked at
     * @param passed of these
     * @param chosen tokens that were sampled in this step
     */
    void step(long kept, int texts, int passed, long chosen);
  }

  /**
   * What came of it.
   *
   * @param finished whether there is enough
   * @param manifest what {@code manifest.json} says but for the shards
   */
  public record Outcome(boolean finished, Map<String, Object> manifest) {}

  /**
   * Samples. The texts that pass are in {@code train.jsonl}, {@code validation.jsonl} and {@code
   * test.jsonl} afterwards, also if the run was interrupted.
   *
   * @param out the folder, which no other process may write
   * @param interrupted asked after each step; what is no whole shard then is lost
   */
  public Outcome run(Path out, Listener listener, BooleanSupplier interrupted) {
    TextSampler sampler = new TextSampler(model, device, table, settings.seed(), settings.batch());
    SampleFolder folder = SampleFolder.open(out, key());
    KeptTexts kept = kept(folder);
    if (folder.count() > 0) {
      listener.resumed(folder.count(), kept.tokens());
    }
    if (!enough(kept)) {
      Shards shards = new Shards(folder, kept, listener, interrupted);
      sampler.run((long) folder.count() * SHARD, shards::add, shards::chose);
      kept = kept(folder); // without texts of a shard that is not whole
    }
    Map<String, Object> results = kept.counts();
    results.put("files", kept.write(folder, model.config().decoder().vocab()));
    folder.writeManifest(results);
    return new Outcome(enough(kept), results);
  }

  /** The texts of as many shards as are needed, of those that are there. */
  private KeptTexts kept(SampleFolder folder) {
    KeptTexts kept = new KeptTexts(table.filters(), settings.shares(), settings.seed());
    for (int i = 0; i < folder.count() && !enough(kept); i++) {
      folder.read(i).forEach(kept::add);
    }
    return kept;
  }

  /** Takes texts as they come and makes shards of them. */
  private final class Shards {
    private final SampleFolder folder;
    private final KeptTexts kept;
    private final Listener listener;
    private final BooleanSupplier interrupted;
    private final List<SampledText> begun = new ArrayList<>();

    Shards(SampleFolder folder, KeptTexts kept, Listener listener, BooleanSupplier interrupted) {
      this.folder = folder;
      this.kept = kept;
      this.listener = listener;
      this.interrupted = interrupted;
    }

    /** Takes a text; whether another one is wanted. Only whole shards decide what is enough. */
    boolean add(SampledText text) {
      kept.add(text);
      begun.add(text);
      if (begun.size() < SHARD) {
        return true;
      }
      folder.add(begun, device.kernels().name(), kept.counts());
      begun.clear();
      if (kept.texts() == 0 && folder.count() >= HOPELESS) {
        throw new InputException(
            "of %d texts none passes the filters of the table, %s; change its filters, for which nothing is sampled again"
                .formatted(kept.sampled(), kept.counts().get("refused")));
      }
      return !enough(kept);
    }

    /** After a step of the batch; whether to continue. */
    boolean chose(long tokens) {
      listener.step(kept.tokens(), kept.sampled(), kept.texts(), tokens);
      return !interrupted.getAsBoolean();
    }
  }

  private boolean enough(KeptTexts kept) {
    return kept.tokens() >= settings.tokens();
  }

  private Map<String, Object> key() {
    Map<String, Object> key = new LinkedHashMap<>();
    key.put("model_sha256", model.sha256());
    key.put("matrices", model.matrixType().name());
    key.put("arithmetic", model.arithmetic() == Arithmetic.EXACT ? "f32" : "integer");
    key.put("table_sha256", table.sha256());
    key.put("seed", settings.seed());
    key.putAll(PromptKey.of(model, table.prompts().asks()));
    return key;
  }
}
