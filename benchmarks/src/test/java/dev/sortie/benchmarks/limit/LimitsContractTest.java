package dev.sortie.benchmarks.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class LimitsContractTest {

  @Test
  void theProbeReadsEveryByte() {
    try (NativeArena arena = new NativeArena("test")) {
      int block = 4096;
      Span span = arena.allocate(DType.F32, 3 * block / 4).span();
      for (int i = 0; i < span.length(); i++) {
        span.set(i, 1);
      }
      // one lane of the accumulators: its share of all elements
      int lanes = jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.length();
      assertThat(ReadBandwidth.sum(span.segment(), block)).isEqualTo(span.length() / (float) lanes);
      assertThat(ReadBandwidth.sum(span.segment(), 3L * block))
          .isEqualTo(span.length() / (float) lanes);
    }
  }

  @Test
  void theArithmeticProbeComputesItsRecurrence() {
    // x -> x/2 + s has the fixed point 2s, for each of the 16 chains
    assertThat(MultiplyAddPeak.burst(3)).isCloseTo(16 * 6f, within(1e-3f));
  }

  @Test
  void figuresAreWithinWhatMachinesCanDo() {
    Limits l = Limits.measure(1);
    assertThat(l.flops1()).isBetween(1e8, 1e13);
    assertThat(l.read1()).isBetween(1e8, 1e13);
    assertThat(l.describe()).containsEntry("threads", 1);
  }
}
