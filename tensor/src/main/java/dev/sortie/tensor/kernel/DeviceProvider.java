package dev.sortie.tensor.kernel;

import java.util.List;

/**
 * Devices other than the CPU. Implemented by modules that nothing depends on, and found by {@link
 * java.util.ServiceLoader}.
 */
public interface DeviceProvider {
  /** What it speaks, such as {@code OpenCL}. */
  String name();

  /** Looks for devices. A machine without any is no error. */
  Found find();

  /**
   * What was found.
   *
   * @param devices one line for each device
   * @param remark why there is none, or what could not be asked, in one line; empty where all went
   *     well
   */
  record Found(List<String> devices, String remark) {
    public Found {
      devices = List.copyOf(devices);
    }
  }
}
