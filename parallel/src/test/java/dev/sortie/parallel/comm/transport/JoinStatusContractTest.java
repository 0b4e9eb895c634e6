package dev.sortie.parallel.comm.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
class JoinStatusContractTest {
  @Test
  void thoseWhoCameAndThoseWhoDidNotAreNamed() {
    assertThat(JoinStatus.describe(0, List.of(0, 1), i -> i == 0))
        .isEqualTo("rank 0 waits for rank 1 to join; rank 0 has come");
    assertThat(JoinStatus.describe(4, List.of(1, 4, 6, 7, 9), i -> i == 1 || i == 3))
        .isEqualTo("rank 4 waits for ranks 1, 6 and 9 to join; ranks 4 and 7 have come");
  }
}
