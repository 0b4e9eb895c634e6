package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.nn.InputException;
import dev.sortie.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A cache in pages, shared or not, has the bits of one in a block, however its prompt is cut into
 * chunks.
 */
class PagedCacheContractTest {
  private static final int CONTEXT = 160;

  @TempDir private static Path folder;

  private static TinyBatch tiny;

  @BeforeAll
  static void load() {
    tiny =
        new TinyBatch(
            folder,
            CONTEXT,
            new ExitSpec(1, ExitArchitecture.NORM, false, 60),
            new ExitSpec(2, ExitArchitecture.LAYER, true));
  }

  @AfterAll
  static void close() {
    tiny.close();
  }

  /** Leaves by the token's place in the text, whatever the confidence. */
  private record Planned(int seed) implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      return (Double.hashCode(confidence) + seed) % 3 == depth - 1;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  /** A sequence in pages, the same one alone in a block. */
  private static final class Pair implements AutoCloseable {
    private final BatchSequence paged;
    private final DecodingStrategy alone;
    private final int end;
    private int token;

    Pair(
        BatchSequence paged,
        ExitPolicy policy,
        BatchDecoder decoder,
        int[] prompt,
        int chunk,
        int end) {
      this.paged = paged;
      this.end = end;
      this.alone =
          policy.never()
              ? new FullDepth(tiny.model().decoder(), CONTEXT, tiny.device())
              : new EarlyExit(
                  tiny.model().decoder(), tiny.exits(), policy, CONTEXT, 7, tiny.device());
      Step expected = alone.prefill(prompt);
      Optional<Step> found = Optional.empty();
      while (found.isEmpty()) {
        found = decoder.readPrompt(paged, chunk);
      }
      same(found.get(), expected);
    }

    void same(Step found, Step expected) {
      assertThat(found.exit()).isEqualTo(expected.exit());
      assertThat(found.confidence()).isEqualTo(expected.confidence());
      assertThat(found.logits()).isEqualTo(expected.logits());
      token = Sampler.argmax(found.logits());
    }

    void checkCache(BatchDecoder decoder) {
      if (alone instanceof EarlyExit e) {
        for (int layer = 0; layer < 4; layer++) {
          List<Tensor> expected = e.completedCache(layer);
          List<Tensor> found = decoder.completedCache(paged, layer);
          assertThat(found.get(0).toFloats()).isEqualTo(expected.get(0).toFloats());
          assertThat(found.get(1).toFloats()).isEqualTo(expected.get(1).toFloats());
        }
      }
    }

    @Override
    public void close() {
      paged.close();
      alone.close();
    }
  }

  /**
   * Sequences of all lengths come and go in a pool that has too little room for all, so that pages
   * are scattered and beginnings forgotten; many begin alike.
   */
  @ParameterizedTest
  @CsvSource({"17,true", "17,false", "20,true", "32,true", "32,false", "160,true"})
  void pagesHaveTheBitsOfABlockWithAndWithoutReuse(int page, boolean reuse) {
    int pages = 500 / page + 1;
    Random random = new Random(page);
    int[][] beginnings = new int[3][];
    for (int i = 0; i < 3; i++) {
      beginnings[i] = random.ints(70, 0, 250).toArray();
    }
    List<Pair> active = new ArrayList<>();
    int reused = 0;
    int refused = 0;
    int filled = 0;
    try (PagePool pool = tiny.pool(pages, page, reuse);
        BatchDecoder decoder = tiny.decoder()) {
      for (int round = 0; round < 250; round++) {
        if (random.nextInt(3) == 0) {
          int[] begin = beginnings[random.nextInt(3)];
          int kept = random.nextInt(begin.length + 1);
          int[] prompt =
              IntStream.concat(
                      Arrays.stream(begin, 0, kept), random.ints(random.nextInt(1, 40), 0, 250))
                  .toArray();
          ExitPolicy policy =
              random.nextInt(4) == 0 ? new MaxProbability(1) : new Planned(random.nextInt(3));
          int capacity =
              Math.min(
                  CONTEXT,
                  prompt.length + (random.nextInt(3) == 0 ? CONTEXT : random.nextInt(1, 100)));
          Optional<BatchSequence> s = decoder.open(pool, policy, 7, prompt, capacity);
          refused += s.isEmpty() ? 1 : 0;
          if (s.isPresent()) {
            reused += s.get().position();
            active.add(
                new Pair(s.get(), policy, decoder, prompt, random.nextInt(34, 120), capacity));
          }
        }
        active.removeIf(
            p -> {
              boolean ended = p.paged.position() >= p.end;
              if (ended) {
                p.checkCache(decoder);
                p.close();
              }
              return ended;
            });
        List<Step> steps =
            decoder.next(
                active.stream().map(p -> p.paged).toList(),
                active.stream().mapToInt(p -> p.token).toArray());
        for (int i = 0; i < steps.size(); i++) {
          Pair p = active.get(i);
          p.same(steps.get(i), p.alone.next(p.token));
          filled += p.paged.position() == CONTEXT ? 1 : 0;
        }
      }
      active.forEach(Pair::close);
      active.clear();
      assertThat(pool.available()).as("pages given back").isEqualTo(pages);
    } finally {
      active.forEach(Pair::close);
    }
    assertThat(refused).as("times that the pool was full").isPositive();
    assertThat(filled).as("sequences up to the context limit").isPositive();
    if (reuse && page < 100) {
      assertThat(reused).as("tokens found").isPositive();
    } else {
      assertThat(reused).isZero();
    }
  }

  @Test
  void oneBeginningIsReadOnceAndForgottenWhenItsMemoryIsWanted() {
    int[] prompt = IntStream.range(0, 120).toArray();
    try (PagePool pool = tiny.pool(10, 20, true);
        BatchDecoder decoder = tiny.decoder()) {
      assertThat(pool.bytes())
          .isEqualTo(10 * PagePool.pageBytes(tiny.model().decoder(), tiny.exits(), 20));
      try (BatchSequence first = open(decoder, pool, prompt, 130)) {
        assertThat(first.position()).isZero();
        read(decoder, first);
        assertThat(pool.available()).isEqualTo(3);
        // five pages are found and read by both, three are the second's own
        try (BatchSequence second = open(decoder, pool, prompt, 160)) {
          assertThat(second.position()).isEqualTo(100);
          assertThat(pool.available()).isZero();
          assertThat(decoder.open(pool, new MaxProbability(1), 0, new int[] {1}, 1)).isEmpty();
          read(decoder, second);
          assertThatThrownBy(() -> second.rewind(99)).isInstanceOf(IllegalArgumentException.class);
          second.rewind(120);
        }
      }
      assertThat(pool.available()).isEqualTo(10);
      // of ten pages six are known; a text of another kind needs six and so takes the last two
      try (BatchSequence asking =
          decoder.open(pool, new MaxProbability(0.5), 0, prompt, 120).orElseThrow()) {
        assertThat(asking.position()).isZero();
      }
      int[] other = prompt.clone();
      other[0] = 99;
      try (BatchSequence s = open(decoder, pool, other, 120)) {
        assertThat(s.position()).isZero();
      }
      try (BatchSequence s = open(decoder, pool, prompt, 120)) {
        assertThat(s.position()).isEqualTo(80);
      }
    }
  }

  private static BatchSequence open(BatchDecoder d, PagePool pool, int[] prompt, int capacity) {
    return d.open(pool, new MaxProbability(1), 0, prompt, capacity).orElseThrow();
  }

  private static void read(BatchDecoder decoder, BatchSequence s) {
    while (decoder.readPrompt(s, 50).isEmpty()) {
      assertThat(s.position()).isPositive();
    }
    assertThatThrownBy(() -> decoder.readPrompt(s, 50))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsForgottenIsReadAgainAndWhatIsReadStays() {
    int[] prompt = IntStream.range(0, 120).toArray();
    try (PagePool pool = tiny.pool(20, 20, true);
        BatchDecoder decoder = tiny.decoder()) {
      try (BatchSequence first = open(decoder, pool, prompt, 130)) {
        read(decoder, first);
        pool.forget();
        try (BatchSequence second = open(decoder, pool, prompt, 130)) {
          assertThat(second.position()).isEqualTo(100);
        }
      }
      pool.forget();
      assertThat(pool.available()).isEqualTo(20);
      try (BatchSequence third = open(decoder, pool, prompt, 130)) {
        assertThat(third.position()).isZero();
      }
    }
  }

  @Test
  void whatNeverFitsIsRefusedWithBothNumbers() {
    try (PagePool pool = tiny.pool(3, 20, true);
        BatchDecoder decoder = tiny.decoder()) {
      assertThatThrownBy(() -> open(decoder, pool, new int[] {1}, 61))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("61 tokens", "4 pages", "3 of 20");
      assertThatThrownBy(() -> open(decoder, pool, new int[] {1}, CONTEXT + 1))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("context");
      assertThat(pool.available()).isEqualTo(3);
    }
  }

  /** Two texts whose hashes are made equal are told apart by their tokens. */
  @Test
  void aPageIsTakenByItsTokensAndNotByItsHashAlone() {
    PrefixIndex index = new PrefixIndex();
    PrefixIndex.Page root = PrefixIndex.Page.root(1);
    PrefixIndex.Page first = index.note(root, new int[] {1, 2}, 0).page().orElseThrow();
    index.note(first, new int[] {3, 4}, 1);
    assertThat(index.find(root, new int[] {1, 2, 3, 4, 5}, 2)).hasSize(2);
    assertThat(index.find(root, new int[] {1, 2, 3, 5}, 2)).hasSize(1);
    assertThat(index.find(root, new int[] {2, 1, 3, 4}, 2)).isEmpty();
    assertThat(index.find(PrefixIndex.Page.root(1), new int[] {1, 2}, 2)).isEmpty();
  }
}
