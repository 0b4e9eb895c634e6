package dev.sortie.tensor.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import org.junit.jupiter.api.Test;

/** Speeds depend on the machine, and on what else it does; that they are speeds does not. */
class KernelSpeedContractTest {

  @Test
  void theSelfTestMeasuresWhatTheMachineCouldGive() {
    try (WorkerPool pool = new WorkerPool(2)) {
      KernelSpeed speed = KernelSpeed.measure(pool);
      assertThat(speed.scalar()).isBetween(0.001, 100.0);
      assertThat(speed.vector()).isBetween(0.001, 100.0 * speed.lanes());
      assertThat(speed.gemm()).isBetween(0.001, 100.0 * speed.lanes() * pool.threads());
      assertThat(speed.read()).isBetween(0.001, 10_000.0);
      String set = KernelSets.choose(pool).name();
      assertThat(speed.lanes())
          .isEqualTo(set.equals("scalar") ? 1 : Integer.parseInt(set.substring(4)) / 32);
    }
  }
}
