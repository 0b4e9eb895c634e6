package dev.sortie.opencl;

/**
 * What was copied between host and device so far. Memory that both share is never copied.
 *
 * @param toDevice copies to the device
 * @param toDeviceBytes bytes of these
 * @param toHost copies to the host
 * @param toHostBytes bytes of these
 */
public record Transfers(long toDevice, long toDeviceBytes, long toHost, long toHostBytes) {
  /** Nothing yet. */
  public static final Transfers NONE = new Transfers(0, 0, 0, 0);

  Transfers sent(long bytes) {
    return new Transfers(toDevice + 1, toDeviceBytes + bytes, toHost, toHostBytes);
  }

  Transfers fetched(long bytes) {
    return new Transfers(toDevice, toDeviceBytes, toHost + 1, toHostBytes + bytes);
  }

  /** What was added since {@code before}. */
  public Transfers since(Transfers before) {
    return new Transfers(
        toDevice - before.toDevice,
        toDeviceBytes - before.toDeviceBytes,
        toHost - before.toHost,
        toHostBytes - before.toHostBytes);
  }
}
