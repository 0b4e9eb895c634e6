package dev.sortie.parallel.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.SharedBases;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every query head is on one rank, together with the key and value head that it reads. */
class HeadShardContractTest {

  @ParameterizedTest
  @CsvSource({
    "9, 3, 1",
    "9, 3, 2",
    "9, 3, 3",
    "9, 3, 4",
    "9, 3, 9",
    "8, 8, 3",
    "4, 1, 2",
    "4, 1, 3",
    "8, 2, 4",
    "8, 2, 6",
    "8, 2, 8",
    "32, 4, 7",
    "32, 4, 12"
  })
  void headsAreSharedOutWithTheirGroups(int heads, int kvHeads, int ranks) {
    int group = heads / kvHeads;
    long next = 0;
    var holders = new TreeMap<Long, Integer>();
    for (int r = 0; r < ranks; r++) {
      HeadShard s = HeadShard.of(heads, kvHeads, ranks, r);
      assertThat(s.queries().from()).isEqualTo(next);
      assertThat(s.queries().count()).isPositive();
      next = s.queries().end();
      assertThat(s.queries().count() % s.keys().count()).isZero();
      long each = s.queries().count() / s.keys().count();
      for (long q = s.queries().from(); q < s.queries().end(); q++) {
        long local = (q - s.queries().from()) / each;
        assertThat(s.keys().from() + local).as("key head of query head " + q).isEqualTo(q / group);
      }
      assertThat(s.sharers().holds(r)).isTrue();
      for (long key = s.keys().from(); key < s.keys().end(); key++) {
        holders.merge(key, 1, Integer::sum);
      }
    }
    assertThat(next).isEqualTo(heads);
    assertThat(holders.keySet()).hasSize(kvHeads);
    for (int r = 0; r < ranks; r++) {
      HeadShard s = HeadShard.of(heads, kvHeads, ranks, r);
      assertThat((long) holders.get(s.keys().from())).isEqualTo(s.sharers().count());
    }
  }

  @Test
  void tooManyRanksAreRefused() {
    assertThatThrownBy(() -> HeadShard.of(9, 3, 10, 0))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("num_attention_heads 9")
        .hasMessageContaining("10 tensor-parallel ranks");
  }

  @Test
  void layersThatShareBasesAreRefused() {
    var bases =
        new SharedBases(new LinkedHashMap<>(Map.of("mlp.up_proj", new SharedBases.Shared(2, 4))));
    DecoderConfig config =
        new DecoderConfig(2, 32, 4, 2, 8, 48, 60, 64, 1e-5, 1e4, false, false, false, true)
            .withBases(bases);
    assertThat(DecoderShard.of(config, 1, 0).config()).isEqualTo(config);
    assertThatThrownBy(() -> DecoderShard.of(config, 2, 0))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("shared_bases")
        .hasMessageContaining("--tp 1");
  }
}
