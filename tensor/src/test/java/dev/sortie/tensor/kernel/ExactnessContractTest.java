package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.suite.ExactCases;
import dev.sortie.tensor.suite.KernelCase;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Where arithmetic is exact, every kernel gives what its scalar twin gives, bit for bit: at the
 * width of this run, with every tail from none to three vectors, on one to four threads.
 */
class ExactnessContractTest {
  private static final List<WorkerPool> POOLS =
      IntStream.rangeClosed(1, 4).mapToObj(WorkerPool::new).toList();

  static Stream<KernelCase> cases() {
    String set = KernelSets.choose(POOLS.getFirst()).name();
    return ExactCases.all(set.startsWith("simd") ? Integer.parseInt(set.substring(4)) / 32 : 1);
  }

  @AfterAll
  static void close() {
    POOLS.forEach(WorkerPool::close);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equalsItsScalarTwinBitForBitOnOneToFourThreads(KernelCase kernelCase) {
    double[][] expected = kernelCase.run(new ScalarKernels(), true);
    for (WorkerPool pool : POOLS) {
      double[][] actual = kernelCase.run(KernelSets.choose(pool), false);
      for (int operand = 0; operand < expected.length; operand++) {
        assertThat(actual[operand])
            .as("operand %d on %d threads", operand, pool.threads())
            .isEqualTo(expected[operand]);
      }
    }
  }
}
