package dev.sortie.parallel.comm.algorithm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Arithmetic alone: the memory is an address that nothing touches. */
@Tag("any-kernels")
class SlicesContractTest {
  @ParameterizedTest
  @ValueSource(
      longs = {0, 1, 7, 1001, (1L << 29) + 1, (1L << 31) - 1, 1L << 31, (1L << 33) + 5, 1L << 40})
  void slicesAreEvenAndCoverAllWithoutAGapAlsoBeyond2GiB(long elements) {
    for (int elementBytes : new int[] {2, 4, 8}) {
      for (int parts = 1; parts <= 8; parts++) {
        MemorySegment memory = MemorySegment.ofAddress(4096).reinterpret(elements * elementBytes);
        Slices slices = new Slices(memory, parts, elementBytes);
        long next = 4096;
        for (int i = 0; i < parts; i++) {
          MemorySegment slice = slices.get(i);
          assertThat(slice.address()).isEqualTo(next);
          assertThat(slice.byteSize() % elementBytes).isZero();
          assertThat(slice.byteSize() / elementBytes)
              .isBetween(elements / parts, Math.ceilDiv(elements, parts));
          next += slice.byteSize();
        }
        assertThat(next - 4096).isEqualTo(memory.byteSize());
        assertThat(slices.range(0, parts).byteSize()).isEqualTo(memory.byteSize());
      }
    }
  }
}
