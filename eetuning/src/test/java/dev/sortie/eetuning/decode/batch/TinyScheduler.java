package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Schedulers over a tiny model, and the same texts alone. Closing it finds all memory back. */
final class TinyScheduler implements AutoCloseable {
  static final int CONTEXT = 160;
  static final int PAGE = 20;
  static final int CHUNK = 40;

  /** Some tokens end a text, so that some texts end early. */
  private static final List<Integer> ENDS =
      IntStream.range(0, TinyBatch.VOCAB).filter(i -> i % 53 == 7).boxed().toList();

  private final TinyBatch tiny;
  private final BatchDecoder decoder;
  private final PagePool pool;

  TinyScheduler(TinyBatch tiny) {
    this.tiny = tiny;
    this.decoder = tiny.decoder();
    this.pool = tiny.pool(40, PAGE, true);
  }

  /** The model that these tests share. */
  static TinyBatch model(Path folder) {
    return new TinyBatch(
        folder,
        CONTEXT,
        new ExitSpec(1, ExitArchitecture.NORM, true),
        new ExitSpec(3, ExitArchitecture.LAYER, true));
  }

  Scheduler scheduler(int running, int waiting, IntFunction<Drafter> drafters) {
    return scheduler(pool, running, waiting, drafters);
  }

  /** A scheduler whose texts share another pool. */
  Scheduler scheduler(PagePool pages, int running, int waiting, IntFunction<Drafter> drafters) {
    return new Scheduler(
        decoder,
        pages,
        tiny.model().tokenizer(),
        ENDS,
        tiny.model().config().decoder().vocab(),
        new Scheduler.Limits(running, waiting, CHUNK),
        drafters);
  }

  /** A greedy text at full depth that no token ends. */
  static Request request(int[] prompt, int maxTokens, Consumer<GeneratedToken> listener) {
    return new Request(prompt, endless(maxTokens), new MaxProbability(1), 0, listener);
  }

  /** A greedy text that leaves at exits of this confidence and that no token ends. */
  static Request request(int[] prompt, int maxTokens, double threshold) {
    return new Request(prompt, endless(maxTokens), new MaxProbability(threshold), 15, t -> {});
  }

  private static GenerateOptions endless(int maxTokens) {
    return new GenerateOptions(maxTokens, SamplingOptions.GREEDY, List.of(), true);
  }

  /** As above, with a prompt of so many tokens. */
  static Request request(int prompt, int maxTokens) {
    return request(IntStream.rangeClosed(1, prompt).toArray(), maxTokens, t -> {});
  }

  /** The same request alone. */
  Generation alone(Request q) {
    try (EarlyExit e =
        new EarlyExit(
            tiny.model().decoder(),
            tiny.exits(),
            q.policy(),
            CONTEXT,
            q.maxPending(),
            tiny.device())) {
      return new Generator(
              e, tiny.model().tokenizer(), ENDS, tiny.model().config().decoder().vocab())
          .run(q.prompt(), q.options(), t -> {});
    }
  }

  @Override
  public void close() {
    assertThat(pool.available()).isEqualTo(pool.pages());
    decoder.close();
    pool.close();
  }
}
