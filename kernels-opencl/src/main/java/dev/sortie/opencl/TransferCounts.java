package dev.sortie.opencl;

/**
 * What was copied between host and device so far. Memory that both share is never copied.
 *
 * @param toDevice copies to the device
 * @param toDeviceBytes bytes of these
 * @param toHost copies to the host
 * @param toHostBytes bytes of these
 */
public record TransferCounts(long toDevice, long toDeviceBytes, long toHost, long toHostBytes) {
  /** Nothing yet. */
  public static final TransferCounts NONE = new TransferCounts(0, 0, 0, 0);

  TransferCounts sent(long bytes) {
    return new TransferCounts(toDevice + 1, toDeviceBytes + bytes, toHost, toHostBytes);
  }

  TransferCounts fetched(long bytes) {
    return new TransferCounts(toDevice, toDeviceBytes, toHost + 1, toHostBytes + bytes);
  }

  /** What was added since {@code before}. */
  public TransferCounts since(TransferCounts before) {
    return new TransferCounts(
        toDevice - before.toDevice,
        toDeviceBytes - before.toDeviceBytes,
        toHost - before.toHost,
        toHostBytes - before.toHostBytes);
  }
}
