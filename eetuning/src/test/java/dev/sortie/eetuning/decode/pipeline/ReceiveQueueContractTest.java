package dev.sortie.eetuning.decode.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever waits for another rank hears of whatever has ended the thread that listens to it. */
@Tag("any-kernels")
@Timeout(60)
class ReceiveQueueContractTest {
  /** One message, then what ends the thread. */
  private static Supplier<String> endedBy(Supplier<String> end) {
    Iterator<String> messages = List.of("first").iterator();
    return () -> messages.hasNext() ? messages.next() : end.get();
  }

  private static void assertHeard(Throwable reason, Supplier<String> end) {
    try (ReceiveQueue<String> queue = new ReceiveQueue<>()) {
      queue.listen("sortie-test", endedBy(end), message -> false);
      assertThat(queue.take()).isEqualTo("first");
      assertThatThrownBy(queue::take).isSameAs(reason);
      assertThatThrownBy(queue::take).as("asked again").isSameAs(reason);
      assertThatThrownBy(queue::poll).as("asked again").isSameAs(reason);
    }
  }

  @Test
  void aFailureOfTheListenerIsThrownWhereMessagesAreTaken() {
    IllegalStateException lost = new IllegalStateException("the link");
    assertHeard(
        lost,
        () -> {
          throw lost;
        });
  }

  @Test
  void memoryThatTheListenerLacksIsAFailureToo() {
    OutOfMemoryError full = new OutOfMemoryError("no memory is taken for this test");
    assertHeard(
        full,
        () -> {
          throw full;
        });
  }
}
