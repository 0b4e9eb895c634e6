package dev.sortie.opencl;

import static org.jocl.CL.CL_DEVICE_GLOBAL_MEM_SIZE;
import static org.jocl.CL.CL_DEVICE_LOCAL_MEM_SIZE;
import static org.jocl.CL.CL_DEVICE_MAX_COMPUTE_UNITS;
import static org.jocl.CL.CL_DEVICE_NAME;
import static org.jocl.CL.CL_DEVICE_NOT_FOUND;
import static org.jocl.CL.CL_DEVICE_TYPE;
import static org.jocl.CL.CL_DEVICE_TYPE_ALL;
import static org.jocl.CL.CL_DEVICE_TYPE_CPU;
import static org.jocl.CL.CL_DEVICE_TYPE_GPU;
import static org.jocl.CL.CL_DEVICE_VENDOR;
import static org.jocl.CL.CL_DEVICE_VERSION;
import static org.jocl.CL.CL_PLATFORM_NAME;
import static org.jocl.CL.CL_SUCCESS;
import static org.jocl.CL.clGetDeviceIDs;
import static org.jocl.CL.clGetDeviceInfo;
import static org.jocl.CL.clGetPlatformIDs;
import static org.jocl.CL.clGetPlatformInfo;
import static org.jocl.CL.stringFor_errorCode;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jocl.Pointer;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;

/**
 * The OpenCL devices of this machine. A machine without OpenCL is the usual case and no error: the
 * list is empty and says why.
 *
 * @param devices in the order in which the drivers give them
 * @param reason why the list is empty, or which platform could not be asked, in one line; empty
 *     where all went well
 */
public record OpenClDevices(List<OpenClDevice> devices, String reason) {

  /**
   * The code with which an OpenCL loader without any driver answers, from the extension {@code
   * cl_khr_icd}.
   */
  private static final int PLATFORM_NOT_FOUND_KHR = -1001;

  /**
   * The names of OpenCL itself on this OS. Probed first, since JOCL prints when it does not find
   * it.
   */
  private static final List<String> LIBRARIES =
      libraries(System.getProperty("os.name").toLowerCase(Locale.ROOT));

  public OpenClDevices {
    devices = List.copyOf(devices);
  }

  /** Asks every platform for its devices. */
  public static OpenClDevices list() {
    if (LIBRARIES.stream().noneMatch(OpenClDevices::loads)) {
      return none(
          "OpenCL is not installed: "
              + String.join(" and ", LIBRARIES)
              + " cannot be loaded; install a driver (ICD) and the OpenCL loader");
    }
    // JOCL unpacks its native library into the temporary folder. By default it does so under a
    // fixed name and loads whatever lies there already, which another
    // user of the machine may have planted; with this switch of its own the name is unique.
    if (System.getProperty("uniqueLibraryNames") == null) {
      System.setProperty("uniqueLibraryNames", "true");
    }
    try {
      return ask();
    } catch (LinkageError e) {
      return none("OpenCL is installed, but JOCL cannot load it: " + firstLine(e));
    } catch (Refused e) {
      return none("OpenCL: " + e.getMessage());
    }
  }

  private static List<String> libraries(String os) {
    if (os.contains("windows")) {
      return List.of("OpenCL.dll");
    }
    return os.contains("mac")
        ? List.of("/System/Library/Frameworks/OpenCL.framework/OpenCL")
        : List.of("libOpenCL.so.1", "libOpenCL.so");
  }

  private static boolean loads(String library) {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup.libraryLookup(library, arena);
      return true;
    } catch (IllegalArgumentException e) { // how the JDK says that there is no such library
      return false;
    }
  }

  private static OpenClDevices none(String reason) {
    return new OpenClDevices(List.of(), reason);
  }

  private static OpenClDevices ask() {
    int[] count = new int[1];
    int status = clGetPlatformIDs(0, null, count);
    if (status == PLATFORM_NOT_FOUND_KHR || (status == CL_SUCCESS && count[0] == 0)) {
      return none("the OpenCL loader is installed, but no driver (ICD) is");
    }
    check(status, "clGetPlatformIDs");
    cl_platform_id[] platforms = new cl_platform_id[count[0]];
    check(clGetPlatformIDs(platforms.length, platforms, null), "clGetPlatformIDs");

    List<OpenClDevice> devices = new ArrayList<>();
    String reason = "";
    for (cl_platform_id platform : platforms) {
      try {
        devices.addAll(devicesOf(platform));
      } catch (Refused e) {
        reason = "OpenCL: " + e.getMessage(); // one broken driver must not hide the others
      }
    }
    if (devices.isEmpty() && reason.isEmpty()) {
      reason = "OpenCL has " + platforms.length + " platform(s), but no device";
    }
    return new OpenClDevices(devices, reason);
  }

  private static List<OpenClDevice> devicesOf(cl_platform_id platform) {
    String platformName =
        text(
            "clGetPlatformInfo",
            (bytes, to, size) -> clGetPlatformInfo(platform, CL_PLATFORM_NAME, bytes, to, size));
    int[] count = new int[1];
    int status = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, null, count);
    if (status == CL_DEVICE_NOT_FOUND || (status == CL_SUCCESS && count[0] == 0)) {
      return List.of();
    }
    check(status, "clGetDeviceIDs of " + platformName);
    cl_device_id[] ids = new cl_device_id[count[0]];
    check(
        clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, ids.length, ids, null),
        "clGetDeviceIDs of " + platformName);
    List<OpenClDevice> devices = new ArrayList<>();
    for (cl_device_id id : ids) {
      devices.add(
          new OpenClDevice(
              platformName,
              text(id, CL_DEVICE_NAME),
              text(id, CL_DEVICE_VENDOR),
              text(id, CL_DEVICE_VERSION),
              type(number(id, CL_DEVICE_TYPE, Long.BYTES)),
              (int) number(id, CL_DEVICE_MAX_COMPUTE_UNITS, Integer.BYTES),
              number(id, CL_DEVICE_GLOBAL_MEM_SIZE, Long.BYTES),
              number(id, CL_DEVICE_LOCAL_MEM_SIZE, Long.BYTES)));
    }
    return devices;
  }

  private static OpenClDevice.Type type(long bits) {
    if ((bits & CL_DEVICE_TYPE_GPU) != 0) {
      return OpenClDevice.Type.GPU;
    }
    return (bits & CL_DEVICE_TYPE_CPU) != 0 ? OpenClDevice.Type.CPU : OpenClDevice.Type.OTHER;
  }

  private static String text(cl_device_id device, int what) {
    return text(
        "clGetDeviceInfo", (bytes, to, size) -> clGetDeviceInfo(device, what, bytes, to, size));
  }

  /** A query of a string: first its size, then its bytes, which end with a zero. */
  private static String text(String call, Query query) {
    long[] size = new long[1];
    check(query.ask(0, null, size), call);
    byte[] bytes = new byte[Math.toIntExact(size[0])];
    check(query.ask(bytes.length, Pointer.to(bytes), null), call);
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == 0) {
      end--;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8).strip();
  }

  private static long number(cl_device_id device, int what, int bytes) {
    ByteBuffer value = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    check(clGetDeviceInfo(device, what, bytes, Pointer.to(value), null), "clGetDeviceInfo");
    return bytes == Integer.BYTES ? Integer.toUnsignedLong(value.getInt(0)) : value.getLong(0);
  }

  private static void check(int status, String call) {
    if (status != CL_SUCCESS) {
      throw new Refused(call + " failed with " + stringFor_errorCode(status));
    }
  }

  private static String firstLine(Throwable e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    String message = String.valueOf(cause.getMessage());
    return message.lines().findFirst().orElse("").strip();
  }

  @FunctionalInterface
  private interface Query {
    int ask(long bytes, Pointer to, long[] size);
  }

  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
      super(message);
    }
  }
}
