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
   * Opens a device.
   *
   * @param index which one, in the order of {@link #find}, from 0
   * @param host kernels for what the device cannot do
   * @throws IllegalArgumentException in one line, if there is none or it does not open
   */
  Kernels open(int index, Kernels host);

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
