package dev.sortie.opencl;

/**
 * An OpenCL device as it describes itself.
 *
 * @param platform name of the platform (the driver) that offers it
 * @param name the device
 * @param vendor its maker
 * @param version the OpenCL version it supports, as {@code CL_DEVICE_VERSION}
 * @param type what kind of device it is
 * @param computeUnits number of compute units
 * @param globalMemory bytes of global memory
 * @param localMemory bytes of local memory of one compute unit
 */
public record OpenClDevice(
    String platform,
    String name,
    String vendor,
    String version,
    Type type,
    int computeUnits,
    long globalMemory,
    long localMemory) {

  /** Kinds of device. */
  public enum Type {
    /** Graphics processor. */
    GPU,
    /** The host's own processor. */
    CPU,
    /** Accelerator or custom device. */
    OTHER
  }
}
