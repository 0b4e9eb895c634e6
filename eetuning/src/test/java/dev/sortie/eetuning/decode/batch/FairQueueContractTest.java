package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Owners take turns, and the items of one come in their order. */
@Tag("any-kernels")
class FairQueueContractTest {
  private final FairQueue<String> queue = new FairQueue<>();

  private List<String> drain() {
    List<String> all = new ArrayList<>();
    while (!queue.isEmpty()) {
      all.add(queue.peek().orElseThrow());
      queue.remove();
    }
    assertThat(queue.size()).isZero();
    assertThat(queue.peek()).isEmpty();
    return all;
  }

  @Test
  void ownersTakeTurns() {
    for (String item : List.of("a1", "a2", "a3", "b1", "c1", "b2")) {
      queue.add(item.substring(0, 1), item);
    }
    assertThat(queue.size()).isEqualTo(6);
    assertThat(queue.size("a")).isEqualTo(3);
    assertThat(queue.size("z")).isZero();
    assertThat(drain()).containsExactly("a1", "b1", "c1", "a2", "b2", "a3");
  }

  @Test
  void whoseTurnItIsStaysUntilItIsTaken() {
    queue.add("a", "a1");
    queue.add("a", "a2");
    assertThat(queue.peek()).contains("a1");
    queue.add("b", "b1");
    assertThat(queue.peek()).contains("a1");
    queue.remove();
    queue.add("c", "c1");
    assertThat(drain()).containsExactly("b1", "a2", "c1");
  }

  @Test
  void whatIsTakenOutLeavesTheOthersInOrder() {
    for (String item : List.of("a1", "a2", "b1", "c1", "c2")) {
      queue.add(item.substring(0, 1), item);
    }
    assertThat(queue.removeIf(item -> item.equals("b1") || item.equals("c1")))
        .containsExactly("b1", "c1");
    assertThat(queue.size()).isEqualTo(3);
    assertThat(drain()).containsExactly("a1", "c2", "a2");
  }
}
