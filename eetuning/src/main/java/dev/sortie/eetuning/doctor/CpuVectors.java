package dev.sortie.eetuning.doctor;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** How wide the processor's vectors are, by the flags that Linux lists. */
final class CpuVectors {
  private static final List<String> AVX512 = List.of("avx512f", "avx512bw", "avx512dq", "avx512vl");
  private static final Set<String> NAMES = Set.of("flags", "Features");

  private CpuVectors() {}

  /** Bits, or 0 where the lines (of {@code /proc/cpuinfo}) do not tell. */
  static int bits(List<String> cpuinfo) {
    for (String line : cpuinfo) {
      int colon = line.indexOf(':');
      if (colon > 0 && NAMES.contains(line.substring(0, colon).strip())) {
        Set<String> flags =
            new HashSet<>(Arrays.asList(line.substring(colon + 1).strip().split(" +")));
        if (flags.containsAll(AVX512)) {
          return 512;
        }
        if (flags.contains("avx2")) {
          return 256;
        }
        return flags.contains("sse4_1") || flags.contains("asimd") ? 128 : 0;
      }
    }
    return 0;
  }
}
