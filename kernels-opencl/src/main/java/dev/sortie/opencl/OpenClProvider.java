package dev.sortie.opencl;

import dev.sortie.tensor.kernel.DeviceProvider;
import java.util.Locale;

/** Names the OpenCL devices of this machine. */
public final class OpenClProvider implements DeviceProvider {
  /** For {@link java.util.ServiceLoader}. */
  public OpenClProvider() {}

  @Override
  public String name() {
    return "OpenCL";
  }

  @Override
  public Found find() {
    OpenClDevices found = OpenClDevices.list();
    return new Found(
        found.devices().stream().map(OpenClProvider::describe).toList(), found.reason());
  }

  private static String describe(OpenClDevice d) {
    return "%s (%s, %s, %d compute units, %.1f GiB, %s)"
        .formatted(
            d.name(),
            d.type().name().toLowerCase(Locale.ROOT),
            d.platform(),
            d.computeUnits(),
            (double) d.globalMemory() / (1L << 30),
            d.version());
  }
}
