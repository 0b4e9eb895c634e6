package dev.sortie.opencl;

import static org.jocl.CL.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jocl.Pointer;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;

/**
 * A device, the handle by which OpenCL knows it, and the limits that kernels and buffers must keep.
 *
 * @param platform handle of its platform
 * @param id its handle
 * @param about how it describes itself
 * @param driver version of its driver
 * @param maxWorkGroup most work-items in a group
 * @param maxAllocation bytes of the largest buffer
 * @param hostUnified whether it works on the host's own memory
 * @param doubles whether it computes in F64
 */
record ClDevice(
    cl_platform_id platform,
    cl_device_id id,
    OpenClDevice about,
    String driver,
    int maxWorkGroup,
    long maxAllocation,
    boolean hostUnified,
    boolean doubles) {

  /** Asks the device; whether it is host-unified by OpenCL 1.2's name, which 2.0 deprecates. */
  @SuppressWarnings("deprecation")
  static ClDevice of(cl_platform_id platform, cl_device_id id) {
    OpenClDevice about =
        new OpenClDevice(
            text((n, to, size) -> clGetPlatformInfo(platform, CL_PLATFORM_NAME, n, to, size)),
            text(id, CL_DEVICE_NAME),
            text(id, CL_DEVICE_VENDOR),
            text(id, CL_DEVICE_VERSION),
            type(number(id, CL_DEVICE_TYPE, Long.BYTES)),
            (int) number(id, CL_DEVICE_MAX_COMPUTE_UNITS, Integer.BYTES),
            number(id, CL_DEVICE_GLOBAL_MEM_SIZE, Long.BYTES),
            number(id, CL_DEVICE_LOCAL_MEM_SIZE, Long.BYTES));
    return new ClDevice(
        platform,
        id,
        about,
        text(id, CL_DRIVER_VERSION),
        (int) Math.min(1 << 20, number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, Long.BYTES)),
        number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, Long.BYTES),
        number(id, CL_DEVICE_HOST_UNIFIED_MEMORY, Integer.BYTES) != 0,
        number(id, CL_DEVICE_DOUBLE_FP_CONFIG, Long.BYTES) != 0);
  }

  /** What tells this device and its compiler from another. */
  List<String> identity() {
    return List.of(about.platform(), about.vendor(), about.name(), about.version(), driver);
  }

  private static OpenClDevice.Type type(long bits) {
    if ((bits & CL_DEVICE_TYPE_GPU) != 0) {
      return OpenClDevice.Type.GPU;
    }
    return (bits & CL_DEVICE_TYPE_CPU) != 0 ? OpenClDevice.Type.CPU : OpenClDevice.Type.OTHER;
  }

  private static String text(cl_device_id device, int what) {
    return text((n, to, size) -> clGetDeviceInfo(device, what, n, to, size));
  }

  /** A query of a string: first its size, then its bytes, which end with a zero. */
  static String text(Query query) {
    long[] size = new long[1];
    query.ask(0, null, size);
    byte[] bytes = new byte[Math.toIntExact(size[0])];
    query.ask(bytes.length, Pointer.to(bytes), null);
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == 0) {
      end--;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8).strip();
  }

  private static long number(cl_device_id device, int what, int bytes) {
    ByteBuffer value = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    clGetDeviceInfo(device, what, bytes, Pointer.to(value), null);
    return bytes == Integer.BYTES ? Integer.toUnsignedLong(value.getInt(0)) : value.getLong(0);
  }

  /** A call that gives a size or bytes. */
  @FunctionalInterface
  interface Query {
    int ask(long bytes, Pointer to, long[] size);
  }
}
