package dev.sortie.eetuning.decode.batch;

import static dev.sortie.eetuning.decode.batch.TinyScheduler.CHUNK;
import static dev.sortie.eetuning.decode.batch.TinyScheduler.CONTEXT;
import static dev.sortie.eetuning.decode.batch.TinyScheduler.PAGE;
import static dev.sortie.eetuning.decode.batch.TinyScheduler.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.ExitAgreement;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Texts generated together are those generated alone; nobody starves, and all memory comes back.
 */
class SchedulerContractTest extends SchedulerFixture {
  private Scheduler scheduler(int running, int waiting) {
    return together.scheduler(running, waiting, _ -> Drafter.NONE);
  }

  private static GenerateOptions options(int maxTokens, double temperature, long seed) {
    SamplingOptions sampling = new SamplingOptions(temperature, 0, 1, 0, 1.1, seed);
    return new GenerateOptions(maxTokens, sampling, List.of("he"), false);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void eachTextIsTheOneGeneratedAloneWhateverRunsWithIt(long seed) throws Exception {
    Random random = new Random(seed);
    int[] beginning = random.ints(90, 0, 250).toArray();
    List<RequestHandle> handles = new ArrayList<>();
    Map<RequestHandle, List<GeneratedToken>> heard = new HashMap<>();
    try (Scheduler scheduler = scheduler(20, 1000)) {
      for (int i = 0; i < 60; i++) {
        int kept = random.nextInt(beginning.length);
        int[] prompt =
            IntStream.concat(
                    Arrays.stream(beginning, 0, kept), random.ints(random.nextInt(1, 20), 0, 250))
                .toArray();
        int most = random.nextInt(1, CONTEXT + 2 - prompt.length);
        ExitPolicy policy =
            switch (random.nextInt(3)) {
              case 0 -> new MaxProbability(1);
              case 1 -> new MaxProbability(0.03 + 0.05 * random.nextDouble());
              default -> new ExitAgreement(0.01, 2);
            };
        List<GeneratedToken> tokens = new ArrayList<>();
        GenerateOptions options = options(most, random.nextBoolean() ? 0 : 0.9, random.nextLong());
        RequestHandle t =
            scheduler.submit(new Request(prompt, options, policy, random.nextInt(16), tokens::add));
        handles.add(t);
        heard.put(t, tokens);
        for (int rounds = random.nextInt(4); rounds > 0; rounds--) {
          scheduler.round();
        }
      }
      TinyBatch.finish(scheduler);
      assertThat(scheduler.pending()).isZero();
    }
    Set<String> finishes = new HashSet<>();
    Set<Object> depths = new HashSet<>();
    for (RequestHandle t : handles) {
      Generation expected = together.alone(t.request());
      Generation found = t.result().get(1, TimeUnit.SECONDS);
      assertThat(found.tokens()).isEqualTo(expected.tokens()).isEqualTo(heard.get(t));
      assertThat(found.text()).isEqualTo(expected.text());
      assertThat(found.finish()).isEqualTo(expected.finish());
      finishes.add(found.finish());
      found.tokens().forEach(token -> depths.add(token.exit()));
    }
    assertThat(finishes).containsExactlyInAnyOrder("stop", "length");
    assertThat(depths).as("depths of answers").hasSize(3);
  }

  @Test
  void aLongPromptDelaysNobodyByMoreThanAChunkOfIt() {
    List<Integer> roundsOfTokens = new ArrayList<>();
    int[] round = {0};
    try (Scheduler scheduler = scheduler(4, 4)) {
      int[] prompt = {1, 2, 3};
      RequestHandle first =
          scheduler.submit(request(prompt, 12, t -> roundsOfTokens.add(round[0])));
      scheduler.round();
      RequestHandle second = scheduler.submit(request(3 * CHUNK, 2));
      RequestHandle third = scheduler.submit(request(5, 1));
      while (!first.result().isDone()) {
        round[0]++;
        scheduler.round();
        // prompts are read in turns: the short one behind the long one is not kept waiting
        if (round[0] == 3) {
          assertThat(third.result()).isDone();
        }
      }
      assertThat(roundsOfTokens).containsExactlyElementsOf(IntStream.range(0, 12).boxed().toList());
      assertThat(second.result()).isDone();
    }
  }

  @Test
  void whatDoesNotFitWaitsAndNobodyOvertakesIt() {
    try (Scheduler scheduler = scheduler(10, 10)) {
      List<RequestHandle> first = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        first.add(scheduler.submit(request(1 + i, 130))); // 7 pages of 40 each
      }
      RequestHandle large = scheduler.submit(request(100, 60)); // 8
      RequestHandle small = scheduler.submit(request(1, 1)); // 1
      scheduler.round();
      assertThat(scheduler.pending()).isEqualTo(7);
      for (int i = 0; i < 30; i++) {
        scheduler.round();
      }
      assertThat(small.result()).isNotDone();
      first.getFirst().cancel();
      for (int i = 0; i < 20; i++) {
        scheduler.round();
      }
      assertThat(first.getFirst().result()).isDone();
      assertThat(small.result()).isDone();
      assertThat(large.result()).isNotDone();
      TinyBatch.finish(scheduler);
      assertThat(large.result().join().tokens()).hasSize(60);
    }
  }

  @Test
  void whatCanNeverFitIsRefusedAndSoIsWhoeverComesWhenTooManyWait() {
    try (Scheduler scheduler = scheduler(1, 2)) {
      assertThatThrownBy(() -> scheduler.submit(request(100, CONTEXT - 98)))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("161", "160");
      assertThatThrownBy(() -> scheduler.submit(request(100, Integer.MAX_VALUE)))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll(String.valueOf(Integer.MAX_VALUE), "160");
      assertThatThrownBy(() -> scheduler.submit(request(0, 5))).isInstanceOf(InputException.class);
      for (int i = 0; i < 3; i++) {
        scheduler.submit(request(4, 5));
      }
      assertThatThrownBy(() -> scheduler.submit(request(4, 5)))
          .isInstanceOf(RejectedExecutionException.class)
          .hasMessageContaining("ask again later");
      TinyBatch.finish(scheduler);
      scheduler.submit(request(4, 5)).cancel();
      scheduler.round();
    }
    try (PagePool small = tiny.pool(2, PAGE, true);
        Scheduler scheduler = together.scheduler(small, 1, 1, _ -> Drafter.NONE)) {
      assertThatThrownBy(() -> scheduler.submit(request(40, 2)))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("41 tokens", "3 pages", "2 of 20");
    }
  }

  /** Each asks until it is refused; a later one still finds a place, until there is none. */
  @Test
  void noOwnerFillsTheQueueAlone() {
    try (Scheduler scheduler = scheduler(1, 32)) {
      assertThat(submitAll(scheduler, "a")).isEqualTo(1 + 24); // one of them runs
      assertThat(submitAll(scheduler, "b")).isEqualTo(7);
      assertThat(submitAll(scheduler, "a")).isZero();
      assertThat(submitAll(scheduler, "c")).isEqualTo(1);
      assertThatThrownBy(() -> scheduler.submit(owned("d")))
          .isInstanceOf(RejectedExecutionException.class)
          .hasMessageContaining("ask again later");
      TinyBatch.finish(scheduler);
      assertThat(submitAll(scheduler, "a")).isEqualTo(25);
      TinyBatch.finish(scheduler);
    }
  }

  private static Request owned(String owner) {
    return new Request(
        owner,
        new int[] {1, 2, 3},
        new GenerateOptions(2, SamplingOptions.GREEDY, List.of(), true),
        new MaxProbability(1),
        0,
        t -> {},
        Optional.empty(),
        false);
  }

  /** How many are taken until one is refused. */
  private static int submitAll(Scheduler scheduler, String owner) {
    for (int taken = 0; ; taken++) {
      try {
        scheduler.submit(owned(owner));
      } catch (RejectedExecutionException e) {
        return taken;
      }
    }
  }

  @Test
  void aCancelledRequestEndsWithWhatThereIsWhereverItStands() {
    try (Scheduler scheduler = scheduler(2, 5)) {
      RequestHandle decoding = scheduler.submit(request(3, 100));
      scheduler.round();
      scheduler.round();
      RequestHandle reading = scheduler.submit(request(100, 10));
      scheduler.round();
      RequestHandle waits = scheduler.submit(request(5, 5));
      RequestHandle last = scheduler.submit(request(5, 5));
      scheduler.round();
      List.of(decoding, reading, waits).forEach(RequestHandle::cancel);
      TinyBatch.finish(scheduler);
      for (RequestHandle t : List.of(decoding, reading, waits)) {
        assertThat(t.result().join().finish()).isEqualTo("cancelled");
      }
      assertThat(decoding.result().join().tokens()).hasSizeBetween(2, 5);
      assertThat(reading.result().join().tokens()).isEmpty();
      assertThat(waits.result().join().tokens()).isEmpty();
      assertThat(last.result().join().finish()).isEqualTo("length");
    }
  }

  /** A listener or a policy that fails takes down its own request only. */
  @Test
  void aFailureIsTheOwnRequestsOnly() {
    ExitPolicy failing =
        new ExitPolicy() {
          private int asked;

          @Override
          public boolean exits(int depth, double confidence) {
            if (++asked > 5) {
              throw new IllegalStateException("policy");
            }
            return false;
          }

          @Override
          public boolean never() {
            return false;
          }
        };
    try (Scheduler scheduler = scheduler(5, 5)) {
      RequestHandle good = scheduler.submit(request(3, 30));
      RequestHandle listener =
          scheduler.submit(
              request(
                  new int[] {4},
                  30,
                  t -> {
                    throw new IllegalStateException("listener");
                  }));
      RequestHandle policy =
          scheduler.submit(
              new Request(new int[] {5}, good.request().options(), failing, 15, t -> {}));
      TinyBatch.finish(scheduler);
      assertThat(good.result().join().tokens()).isEqualTo(together.alone(good.request()).tokens());
      assertThat(listener.result())
          .failsWithin(1, TimeUnit.SECONDS)
          .withThrowableOfType(ExecutionException.class)
          .withMessageContaining("listener");
      assertThat(policy.result())
          .failsWithin(1, TimeUnit.SECONDS)
          .withThrowableOfType(ExecutionException.class)
          .withMessageContaining("policy");
    }
  }

  /** What only shows when a text begins, too: nobody waits for a place that it holds. */
  @Test
  void aRequestThatCannotBeginFailsAlone() {
    try (Scheduler scheduler = scheduler(1, 5)) {
      GenerateOptions failing =
          request(3, 5)
              .options()
              .with(
                  () -> {
                    throw new IllegalStateException("rule");
                  });
      Request bad = new Request(new int[] {5}, failing, new MaxProbability(1), 0, t -> {});
      RequestHandle first = scheduler.submit(bad);
      RequestHandle cancelled = scheduler.submit(bad);
      RequestHandle good = scheduler.submit(request(3, 5));
      cancelled.cancel();
      TinyBatch.finish(scheduler);
      for (RequestHandle t : List.of(first, cancelled)) {
        assertThat(t.result())
            .failsWithin(1, TimeUnit.SECONDS)
            .withThrowableOfType(ExecutionException.class)
            .withMessageContaining("rule");
      }
      assertThat(good.result().join().tokens()).hasSize(5);
      assertThat(scheduler.pending()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, TinyBatch.VOCAB, 999_999})
  void idsThatAreNoTokensAreRefused(int id) {
    try (Scheduler scheduler = scheduler(1, 5)) {
      assertThatThrownBy(() -> scheduler.submit(request(new int[] {3, id}, 5, t -> {})))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("id 1 of the prompt", "" + id);
    }
  }

  /** An error that is not a text's own ends the thread of rounds, and nobody waits for it. */
  @Test
  void anErrorTellsAllThatWait() throws Exception {
    Scheduler scheduler = scheduler(1, 5);
    RequestHandle failing =
        scheduler.submit(
            request(
                new int[] {4},
                30,
                t -> {
                  throw new AssertionError("listener");
                }));
    RequestHandle waits = scheduler.submit(request(3, 5));
    Thread worker = Thread.ofPlatform().uncaughtExceptionHandler((_, _) -> {}).start(scheduler);
    worker.join(TimeUnit.SECONDS.toMillis(30));
    assertThat(worker.isAlive()).isFalse();
    for (RequestHandle t : List.of(failing, waits)) {
      assertThatThrownBy(() -> t.result().join()).isInstanceOf(CancellationException.class);
    }
    assertThatThrownBy(() -> scheduler.submit(request(1, 1)))
        .isInstanceOf(RejectedExecutionException.class);
  }

  @Test
  void manyThreadsMayAskWhileOneWorks() throws Exception {
    Scheduler scheduler = scheduler(6, 100);
    Thread worker = Thread.ofPlatform().start(scheduler);
    List<Thread> askers = new ArrayList<>();
    Set<Generation> done = java.util.concurrent.ConcurrentHashMap.newKeySet();
    for (int i = 0; i < 4; i++) {
      int n = i;
      askers.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    for (int j = 0; j < 5; j++) {
                      Generation g = scheduler.submit(request(10 + n * 7 + j, 8)).result().join();
                      assertThat(g.tokens()).hasSize(8);
                      done.add(g);
                    }
                  }));
    }
    for (Thread t : askers) {
      t.join(TimeUnit.SECONDS.toMillis(30));
    }
    assertThat(done).hasSize(20);
    RequestHandle endless = scheduler.submit(request(1, CONTEXT));
    scheduler.close();
    worker.join(TimeUnit.SECONDS.toMillis(30));
    assertThat(worker.isAlive()).isFalse();
    assertThat(endless.result().isDone()).isTrue();
    if (endless.result().isCompletedExceptionally()) {
      assertThatThrownBy(() -> endless.result().join()).isInstanceOf(CancellationException.class);
    }
    assertThatThrownBy(() -> scheduler.submit(request(1, 1)))
        .isInstanceOf(RejectedExecutionException.class);
  }
}
