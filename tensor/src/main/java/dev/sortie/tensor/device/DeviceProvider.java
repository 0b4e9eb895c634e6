package dev.sortie.tensor.device;

import dev.sortie.tensor.kernel.Kernels;
import java.time.Duration;
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
   * How the kernels of a device were fitted to it by {@link #tune}, in one line, or that they were
   * not.
   *
   * @param index as for {@link #open}
   */
  default String tuning(int index) {
    return "none: " + name() + " has nothing to tune";
  }

  /**
   * Measures how the kernels of a device are fastest, and keeps it for later runs, which may get
   * other roundings by it.
   *
   * @param index as for {@link #open}
   * @param limit about how long it may take
   * @return what {@link #tuning} says from now on
   */
  default String tune(int index, Duration limit) {
    return tuning(index);
  }

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
