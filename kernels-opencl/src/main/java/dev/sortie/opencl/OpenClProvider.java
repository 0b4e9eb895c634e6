package dev.sortie.opencl;

import dev.sortie.tensor.kernel.DeviceProvider;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jocl.CLException;

/** The OpenCL devices of this machine. */
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

  @Override
  public Kernels open(int index, Kernels host) {
    return open(index, host, OpenClOptions.usual());
  }

  /**
   * Opens device {@code index} in the order of {@link #find}.
   *
   * @param host does what the device cannot
   * @throws IllegalArgumentException in one line, if there is no such device or it does not open
   */
  public static OpenClKernels open(int index, Kernels host, OpenClOptions options) {
    return open(index, host, options, UnaryOperator.identity());
  }

  static OpenClKernels open(
      int index, Kernels host, OpenClOptions options, UnaryOperator<String> edit) {
    ClPlatforms found = ClPlatforms.ask();
    if (found.devices().isEmpty()) {
      throw new IllegalArgumentException(found.reason());
    }
    if (index < 0 || index >= found.devices().size()) {
      throw new IllegalArgumentException(
          "there is no OpenCL device "
              + index
              + "; this machine has "
              + found.devices().size()
              + ", counted from 0, which doctor lists");
    }
    ClDevice device = found.devices().get(index);
    try {
      ClSession session = new ClSession(device);
      Preset preset = Preset.of(device, options.preset());
      boolean share = options.shareMemory() && device.hostUnified();
      BinaryCache cache = new BinaryCache(options.cache().orElse(null));
      ClPrograms programs = new ClPrograms(session, preset, cache, edit);
      ClMemory memory = new ClMemory(session, share);
      return new OpenClKernels(
          new Engine(session, memory, programs, new Scratch(session), preset), host);
    } catch (CLException e) {
      throw new IllegalArgumentException(
          "OpenCL device "
              + index
              + ", "
              + device.about().name()
              + ", does not open: "
              + e.getMessage(),
          e);
    }
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
