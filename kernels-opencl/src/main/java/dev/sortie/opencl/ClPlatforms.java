package dev.sortie.opencl;

import static org.jocl.CL.CL_DEVICE_NOT_FOUND;
import static org.jocl.CL.CL_DEVICE_TYPE_ALL;
import static org.jocl.CL.clGetDeviceIDs;
import static org.jocl.CL.clGetPlatformIDs;

import java.util.ArrayList;
import java.util.List;
import org.jocl.CLException;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;

/**
 * The devices that the drivers of this machine offer.
 *
 * @param devices in the order in which the drivers give them
 * @param reason why there is none, or which driver could not be asked; empty where all went well
 */
record ClPlatforms(List<ClDevice> devices, String reason) {
  /**
   * The code with which an OpenCL loader without any driver answers, from the extension {@code
   * cl_khr_icd}.
   */
  private static final int PLATFORM_NOT_FOUND_KHR = -1001;

  ClPlatforms {
    devices = List.copyOf(devices);
  }

  static ClPlatforms ask() {
    String unavailable = Jocl.unavailable();
    if (!unavailable.isEmpty()) {
      return new ClPlatforms(List.of(), unavailable);
    }
    cl_platform_id[] platforms;
    try {
      platforms = platforms();
    } catch (CLException e) {
      return new ClPlatforms(List.of(), "OpenCL: the loader answers " + e.getMessage());
    }
    if (platforms.length == 0) {
      return new ClPlatforms(List.of(), "the OpenCL loader is installed, but no driver (ICD) is");
    }
    List<ClDevice> devices = new ArrayList<>();
    String reason = "";
    for (cl_platform_id platform : platforms) {
      try {
        for (cl_device_id id : devices(platform)) {
          devices.add(ClDevice.of(platform, id));
        }
      } catch (CLException e) { // one broken driver must not hide the others
        reason = "OpenCL: a driver answers " + e.getMessage();
      }
    }
    if (devices.isEmpty() && reason.isEmpty()) {
      reason = "OpenCL has " + platforms.length + " platform(s), but no device";
    }
    return new ClPlatforms(devices, reason);
  }

  private static cl_platform_id[] platforms() {
    int[] count = new int[1];
    try {
      clGetPlatformIDs(0, null, count);
    } catch (CLException e) {
      if (e.getStatus() == PLATFORM_NOT_FOUND_KHR) {
        return new cl_platform_id[0];
      }
      throw e;
    }
    cl_platform_id[] platforms = new cl_platform_id[count[0]];
    if (platforms.length > 0) {
      clGetPlatformIDs(platforms.length, platforms, null);
    }
    return platforms;
  }

  private static cl_device_id[] devices(cl_platform_id platform) {
    int[] count = new int[1];
    try {
      clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, null, count);
    } catch (CLException e) {
      if (e.getStatus() == CL_DEVICE_NOT_FOUND) {
        return new cl_device_id[0];
      }
      throw e;
    }
    cl_device_id[] ids = new cl_device_id[count[0]];
    if (ids.length > 0) {
      clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, ids.length, ids, null);
    }
    return ids;
  }
}
