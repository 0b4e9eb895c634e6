package dev.sortie.opencl;

import java.util.List;

/**
 * The OpenCL devices of this machine. A machine without OpenCL is the usual case and no error: the
 * list is empty and says why.
 *
 * @param devices in the order in which the drivers give them
 * @param reason why the list is empty, or which platform could not be asked, in one line; empty
 *     where all went well
 */
public record OpenClDevices(List<OpenClDevice> devices, String reason) {

  public OpenClDevices {
    devices = List.copyOf(devices);
  }

  /** Asks every platform for its devices. */
  public static OpenClDevices list() {
    ClPlatforms found = ClPlatforms.ask();
    return new OpenClDevices(
        found.devices().stream().map(ClDevice::about).toList(), found.reason());
  }
}
