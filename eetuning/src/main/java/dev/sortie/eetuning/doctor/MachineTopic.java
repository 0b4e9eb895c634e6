package dev.sortie.eetuning.doctor;

/** Cores, threads and memory. */
final class MachineTopic {
  private static final long GIB = 1L << 30;

  private MachineTopic() {}

  /**
   * @param logical hardware threads that the process may use
   * @param physical cores behind them
   * @param threads those that Sortie would use
   * @param memory bytes that the process may use, by the machine or a container's limit; 0 if
   *     unknown
   * @param free bytes of it that are free
   * @param heap bytes that the Java heap may grow to
   */
  static Topic of(int logical, int physical, int threads, long memory, long free, long heap) {
    Topic t =
        new Topic("machine")
            .fact("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"))
            .fact("cores", physical)
            .fact("hardware_threads", logical)
            .fact("threads", threads);
    if (memory > 0) {
      t.fact("memory_bytes", memory).fact("free_memory_bytes", free);
    }
    if (threads > logical) {
      t.advise(
          "%d threads share %d hardware threads and wait for each other: take --threads %d"
              .formatted(threads, logical, physical));
    } else if (threads > physical) {
      t.advise(
          "%d threads share the arithmetic units of %d cores: --threads %d is often as fast"
              .formatted(threads, physical, physical));
    }
    if (memory > 0 && memory - heap < GIB) {
      t.advise(
          ("tensors live outside the Java heap, which may take %.1f of the %.1f GiB that this"
                  + " process may use: raise the memory limit, or set a smaller heap with"
                  + " SORTIE_JAVA_OPTS=-Xmx…")
              .formatted((double) heap / GIB, (double) memory / GIB));
    }
    return t;
  }
}
