package dev.sortie.eetuning.sample;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.batch.BatchDecoder;
import dev.sortie.eetuning.decode.batch.PagePool;
import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.batch.RequestHandle;
import dev.sortie.eetuning.decode.batch.Scheduler;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Samples texts by continuous batching, at full depth. Which text has which number, and its bits,
 * depend on table, model, seed and kernel set, and not on how many are sampled at once.
 */
final class TextSampler {
  /** Tokens a page: prompts share their beginning in whole pages, so these are small. */
  private static final int PAGE_TOKENS = 32;

  /** Prompts that tell how long prompts are. */
  private static final int MEASURED = 64;

  /** Texts that are done or begun while an earlier one is not, for each text at once. */
  private static final int AHEAD = 8;

  private final LanguageModel model;
  private final Device device;
  private final SampleTable table;
  private final long seed;
  private final int batch;
  private final ChatTemplate template;

  /**
   * A sampler.
   *
   * @param seed of prompts and texts
   * @param batch texts at once
   * @throws InputException if the table asks a model that has no chat template
   */
  TextSampler(LanguageModel model, Device device, SampleTable table, long seed, int batch) {
    this.model = model;
    this.device = device;
    this.table = table;
    this.seed = seed;
    this.batch = batch;
    this.template = ChatTemplate.ofModel(model.path()).orElse(null);
    if (template == null && table.prompts().asks()) {
      throw new InputException(
          model.path()
              + ": has no chat template, and the table has questions; give a table with openings alone, or a model that answers");
    }
  }

  private record Begun(long number, SampledPrompt prompt, long seed, RequestHandle handle) {
    boolean done() {
      return handle.result().isDone();
    }

    SampledText text() {
      Generation g;
      try {
        g = handle.result().join();
      } catch (CompletionException e) {
        throw e.getCause() instanceof RuntimeException cause ? cause : e;
      }
      return new SampledText(
          number,
          prompt.number(),
          seed,
          prompt.question(),
          prompt.opening(),
          prompt.must(),
          prompt.opening() + g.text(),
          ids(g),
          g.tokens().size(),
          g.finish());
    }

    private static List<Integer> ids(Generation g) {
      IntStream chosen = g.tokens().stream().mapToInt(GeneratedToken::id);
      return IntStream.concat(Arrays.stream(g.promptIds()), chosen).boxed().toList();
    }
  }

  /**
   * Samples texts from number {@code from} on until one of the two refuses more.
   *
   * @param more gets the texts in order; whether the next one is wanted
   * @param rounds gets the number of tokens that were chosen since the last call; whether to
   *     continue
   */
  void run(long from, Predicate<SampledText> more, LongPredicate rounds) {
    try (BatchDecoder decoder = BatchDecoder.ofManyRows(model.decoder(), device);
        PagePool pool = pool()) {
      Scheduler scheduler =
          new Scheduler(
              decoder,
              pool,
              model.tokenizer(),
              Prompt.endsOfAnswer(model),
              model.config().decoder().vocab(),
              // a batch waits; one owner gets three quarters of the places at most
              new Scheduler.Limits(batch, 2 * batch));
      try {
        run(scheduler, from, more, rounds);
      } finally {
        scheduler.close();
        scheduler.round(); // texts that nobody wants any more give their pages back
      }
    }
  }

  private void run(
      Scheduler scheduler, long from, Predicate<SampledText> more, LongPredicate rounds) {
    long[] chosen = {0};
    Deque<Begun> begun = new ArrayDeque<>();
    long next = from;
    boolean wanted = true;
    while (wanted) {
      while (scheduler.pending() < 2 * batch && begun.size() < AHEAD * batch) {
        begun.add(begin(next++, scheduler, () -> chosen[0]++));
      }
      scheduler.round();
      wanted = rounds.test(chosen[0]);
      chosen[0] = 0;
      while (wanted && !begun.isEmpty() && begun.peek().done()) {
        wanted = more.test(begun.poll().text());
      }
    }
  }

  private Begun begin(long number, Scheduler scheduler, Runnable chosen) {
    SampledPrompt prompt = prompt(number);
    long own = new Random(seed, 0).stream("text").bits(number);
    int[] ids = prompt.ids(model, template);
    Prompt.capacity(model, ids, table.maxTokens(), table.maxTokensField());
    GenerateOptions options =
        new GenerateOptions(table.maxTokens(), table.sampling(own, number), List.of(), false);
    Request request = new Request(ids, options, new MaxProbability(1), 0, token -> chosen.run());
    return new Begun(number, prompt, own, scheduler.submit(request));
  }

  private SampledPrompt prompt(long number) {
    return table.prompts().draw(seed, number / table.prompts().textsPerPrompt());
  }

  /** Room for as many texts at once as are wanted, of the usual length of prompts. */
  private PagePool pool() {
    int longest = 0;
    for (int i = 0; i < MEASURED; i++) {
      SampledPrompt p = table.prompts().draw(seed, i);
      longest = Math.max(longest, p.ids(model, template).length);
    }
    int pages = Math.ceilDiv(longest + table.maxTokens(), PAGE_TOKENS) + 1;
    return new PagePool(
        model.decoder(), Exits.none(), Math.multiplyExact(pages, batch + 1), PAGE_TOKENS, true);
  }
}
