package dev.sortie.eetuning.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import org.junit.jupiter.api.Test;

class PeakMemoryContractTest {
  @Test
  void readsWhatLinuxCounts() {
    PeakMemory peak =
        PeakMemory.of("Name:\tjava\nVmPeak:\t 9000000 kB\nVmHWM:\t 1048576 kB\nVmRSS:\t 12 kB\n");
    assertThat(peak).isEqualTo(new PeakMemory(1L << 30, true));
    assertThat(peak.describe()).isEqualTo("peak resident memory 1,024 MiB");
  }

  @Test
  void withoutThatItIsWhatTheJvmKnowsAndSaysSo() {
    PeakMemory peak = PeakMemory.of("Name:\tjava\n");
    assertThat(peak.bytes()).isGreaterThan(1 << 20);
    assertThat(peak.whole()).isFalse();
    assertThat(peak.describe()).contains("without tensors");
  }

  @Test
  void tensorsCountOnceTheyAreTouched() {
    PeakMemory before = PeakMemory.now();
    assumeThat(before.whole()).as("the OS counts resident memory as Linux does").isTrue();
    long size = before.bytes() + (16L << 20);
    try (NativeArena arena = new NativeArena("test")) {
      Span x = arena.allocate(DType.F32, size / 4).span();
      x.segment().fill((byte) 1);
    }
    assertThat(PeakMemory.now().bytes()).isGreaterThanOrEqualTo(size);
  }
}
