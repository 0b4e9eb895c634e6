package dev.sortie.opencl;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Where the {@link Tuning} of a device is kept: next to its compiled programs, by the same rules
 * (private, written whole, checked by hash), under a name made of device, driver, all sources and
 * the cuts that there are to choose from. A change of any of them forgets it.
 */
final class Tunings {
  private static final List<String> SOURCES =
      List.of(
          "common",
          "elementwise",
          "rows",
          "attention",
          "weights",
          "gemm",
          "losses",
          "gradients",
          "sums");

  private final BinaryCache cache;
  private final BinaryCache.Key key;
  private final Preset preset;

  /** For a device under a preset as {@link Preset#of} gives it. */
  Tunings(BinaryCache cache, ClDevice device, Preset preset) {
    StringBuilder sources = new StringBuilder();
    SOURCES.forEach(file -> sources.append(ClPrograms.source(file)));
    this.cache = cache;
    this.preset = preset;
    key =
        cache.key(
            device.identity(),
            "tuning of " + preset.name() + " " + preset.spaces(),
            sources.toString());
  }

  /** What was kept, if it is whole; an entry that is not is removed. */
  Optional<Tuning> load() {
    byte[] bytes = cache.load(key);
    if (bytes.length == 0) {
      return Optional.empty();
    }
    Optional<Tuning> tuning = Tuning.parse(new String(bytes, StandardCharsets.UTF_8), preset);
    if (tuning.isEmpty()) {
      cache.remove(key);
    }
    return tuning;
  }

  void store(Tuning tuning) {
    cache.store(key, tuning.text().getBytes(StandardCharsets.UTF_8));
  }
}
