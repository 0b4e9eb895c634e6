package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.exit.Exits;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Drafts change no text, whoever comes and leaves, and cost nothing where none can be read. */
class SchedulerDraftsContractTest extends SchedulerFixture {
  /** A text drafts while it is the only one; another one comes and leaves in the middle of it. */
  @ParameterizedTest
  @ValueSource(doubles = {1, 0.04})
  void draftsChangeNoTextWhoeverComesAndLeaves(double threshold) throws Exception {
    int[] repetitive = IntStream.range(0, 45).map(i -> 40 + i % 5).toArray();
    for (int joins : new int[] {0, 7, 30, 200}) {
      try (Scheduler scheduler =
          together.scheduler(4, 10, capacity -> DraftSources.free(Exits.none(), capacity))) {
        Request request = TinyScheduler.request(repetitive, 110, threshold);
        List<RequestHandle> handles = new ArrayList<>(List.of(scheduler.submit(request)));
        for (int round = 0; scheduler.round(); round++) {
          if (round == joins) {
            handles.add(scheduler.submit(TinyScheduler.request(12, 20)));
          }
        }
        for (RequestHandle h : handles) {
          Generation found = h.result().get(1, TimeUnit.SECONDS);
          assertThat(withoutDrafts(found)).isEqualTo(withoutDrafts(together.alone(h.request())));
        }
        assertThat(handles.getFirst().result().join().tokens())
            .anySatisfy(t -> assertThat(t.draft()).contains("prompt-lookup"));
      }
    }
  }

  /** Drafts that promise everything, so that all rows of a pass are read. */
  private static Drafter certain(int capacity) {
    Drafter free = DraftSources.free(Exits.none(), capacity);
    return (Drafter)
        Proxy.newProxyInstance(
            Drafter.class.getClassLoader(),
            new Class<?>[] {Drafter.class},
            (_, method, arguments) -> {
              Object result = method.invoke(free, arguments);
              return method.getName().equals("offer")
                  ? IntStream.range(0, ((double[]) result).length).asDoubleStream().toArray()
                  : result;
            });
  }

  /** Right draft tokens and wrong ones, of texts that come and leave. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void draftsOfSeveralChangeNoText(int texts) throws Exception {
    int[] repetitive = IntStream.range(0, 45).map(i -> 40 + i % 5).toArray();
    try (Scheduler scheduler = together.scheduler(4, 10, SchedulerDraftsContractTest::certain)) {
      List<RequestHandle> handles = new ArrayList<>();
      for (int i = 0; i < texts; i++) {
        handles.add(
            scheduler.submit(
                new Request(
                    i == 0 ? repetitive : IntStream.range(i, i + 20 * i).toArray(),
                    new GenerateOptions(
                        90, new SamplingOptions(i / 2, 0, 1, 0, 1, i), List.of(), true),
                    new MaxProbability(1),
                    15,
                    t -> {})));
      }
      int rounds = 0;
      while (scheduler.round()) {
        rounds++;
        if (rounds == 40) {
          handles.add(scheduler.submit(TinyScheduler.request(12, 20)));
        }
      }
      int drafted = 0;
      for (RequestHandle h : handles) {
        Generation found = h.result().get(1, TimeUnit.SECONDS);
        assertThat(withoutDrafts(found)).isEqualTo(withoutDrafts(together.alone(h.request())));
        drafted += (int) found.tokens().stream().filter(t -> t.draft().isPresent()).count();
      }
      assertThat(drafted).isGreaterThan(texts * 5);
    }
  }

  /** Who leaves at exits has no drafts in company, and whose company drafts has the same text. */
  @Test
  void draftsOfSomeChangeNobodyWhoLeavesEarly() throws Exception {
    try (Scheduler scheduler = together.scheduler(4, 10, SchedulerDraftsContractTest::certain)) {
      List<RequestHandle> handles = new ArrayList<>();
      for (double threshold : new double[] {1, 0.04, 1}) {
        handles.add(
            scheduler.submit(
                TinyScheduler.request(IntStream.range(3, 40).toArray(), 60, threshold)));
      }
      TinyBatch.finish(scheduler);
      for (RequestHandle h : handles) {
        assertThat(withoutDrafts(h.result().get(1, TimeUnit.SECONDS)))
            .isEqualTo(withoutDrafts(together.alone(h.request())));
      }
    }
  }

  private static List<List<Object>> withoutDrafts(Generation g) {
    return g.tokens().stream()
        .map(t -> List.<Object>of(t.id(), t.text(), t.exit(), t.confidence()))
        .toList();
  }

  /** Counts how often drafts are asked for in passes of several texts. */
  private static Drafter counted(int capacity, AtomicInteger asked) {
    Drafter free = DraftSources.free(Exits.none(), capacity);
    return (Drafter)
        Proxy.newProxyInstance(
            Drafter.class.getClassLoader(),
            new Class<?>[] {Drafter.class},
            (_, method, arguments) -> {
              if (method.getName().equals("offer") && (int) arguments[2] > 0) {
                asked.incrementAndGet();
              }
              return method.invoke(free, arguments);
            });
  }

  /** A look-up per text and token is too much where it is known that no draft will be read. */
  @ParameterizedTest
  @CsvSource({"4, 1, true", "5, 1, false", "2, 0.04, false"})
  void nobodyIsAskedWhereNoDraftCanBeRead(int texts, double threshold, boolean expected) {
    AtomicInteger asked = new AtomicInteger();
    try (Scheduler scheduler = together.scheduler(texts, 10, n -> counted(n, asked))) {
      for (int i = 0; i < texts; i++) {
        scheduler.submit(
            TinyScheduler.request(IntStream.range(3 + i, 23 + i).toArray(), 20, threshold));
      }
      TinyBatch.finish(scheduler);
    }
    assertThat(asked.get() > 0).isEqualTo(expected);
  }
}
