package dev.sortie.benchmarks.ranks;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.benchmarks.ranks.Question.What;
import dev.sortie.benchmarks.ranks.Question.Where;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class RanksContractTest {
  private static final long BYTES = 1024;

  /** What {@code mpi_peer.c} prints for {@code check 1024 1}. */
  private static final String HASH = "55b0e81cf6de7160";

  @Test
  void aQuestionIsALineAndBack() {
    Question question = new Question(What.SUM, 4096, 7, Where.SHARED);
    assertThat(question.line()).isEqualTo("sum 4096 7 shared");
    assertThat(question.forPeer()).isEqualTo("sum 4096 7");
    assertThat(Question.parse(question.line())).isEqualTo(question);
    assertThatThrownBy(() -> Question.parse("sum 4096"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("\"sum 4096\"");
  }

  @Test
  void theDataAndItsHashAreThePeers() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sum = arena.allocate(BYTES, 4);
      for (long i = 0; i < BYTES / 4; i++) {
        sum.setAtIndex(JAVA_FLOAT, i, WholeNumbers.value(i, 0) + WholeNumbers.value(i, 1));
      }
      assertThat(WholeNumbers.hash(sum)).isEqualTo(HASH);
    }
  }

  @Test
  @Timeout(120)
  void twoProcessesSumAndTalkThroughSharedMemory() {
    try (RankPair ranks = RankPair.inMemory(BYTES)) {
      assertThat(ranks.transport()).isEqualTo("shared memory");
      for (Where where : List.of(Where.SHARED, Where.PRIVATE)) {
        assertThat(ranks.hashes(new Question(What.CHECK, BYTES, 1, where))).containsOnly(HASH);
        assertThat(ranks.seconds(new Question(What.SUM, BYTES, 3, where))).isPositive();
      }
      assertThat(ranks.seconds(new Question(What.MESSAGES, 8, 3, Where.PRIVATE))).isPositive();
    }
  }

  @Test
  void halfOfWhatTlsNeedsIsOneLineBeforeARankStarts() {
    assertThatThrownBy(() -> RankPair.overTcp(BYTES, Map.of(Tls.PASSWORD, "secret")))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "SORTIE_TLS_KEY_STORE is not set, but SORTIE_TLS_PASSWORD is; set both on all ranks,"
                + " or none");
  }

  @Test
  @Timeout(120)
  void twoProcessesTalkOverTcpAndThroughAPlainSocket() {
    try (RankPair ranks = RankPair.overTcp(BYTES, System.getenv())) {
      assertThat(ranks.transport()).isEqualTo("TCP");
      for (What what : List.of(What.STREAM, What.BOTH, What.MESSAGES)) {
        for (Where where : List.of(Where.PRIVATE, Where.SOCKET)) {
          assertThat(ranks.seconds(new Question(what, BYTES, 3, where))).isPositive();
        }
      }
      assertThat(ranks.hashes(new Question(What.CHECK, BYTES, 1, Where.PRIVATE)))
          .containsOnly(HASH);
    }
  }
}
