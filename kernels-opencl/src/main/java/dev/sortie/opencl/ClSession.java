package dev.sortie.opencl;

import static org.jocl.CL.*;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jocl.CLException;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;

/** A context with one in-order queue on one device, and the buffers made in it. */
final class ClSession implements AutoCloseable {
  private final ClDevice device;
  private final cl_context context;
  private final cl_command_queue queue;

  /** Buffers and the bytes of the device's own that each takes. */
  private final Map<cl_mem, Long> buffers = new HashMap<>();

  private long allocated;
  private volatile boolean open = true;

  ClSession(ClDevice device) {
    this.device = device;
    cl_context_properties properties = new cl_context_properties();
    properties.addProperty(CL_CONTEXT_PLATFORM, device.platform());
    context = clCreateContext(properties, 1, new cl_device_id[] {device.id()}, null, null, null);
    queue = createQueue(context, device.id());
  }

  /** The call of OpenCL 1.2; its successor is missing from drivers of that version. */
  @SuppressWarnings("deprecation")
  private static cl_command_queue createQueue(cl_context context, cl_device_id id) {
    return clCreateCommandQueue(context, id, 0, null);
  }

  ClDevice device() {
    return device;
  }

  cl_context context() {
    return context;
  }

  cl_command_queue queue() {
    return queue;
  }

  boolean isOpen() {
    return open;
  }

  /** Memory of the device's own. */
  cl_mem allocate(long bytes) {
    return create(CL_MEM_READ_WRITE, bytes, null);
  }

  /** The host's memory as a buffer; the caller keeps it alive until {@link #release}. */
  cl_mem share(long bytes, Pointer host) {
    return create(CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, host);
  }

  private synchronized cl_mem create(long flags, long bytes, Pointer host) {
    long size = Math.max(64, bytes);
    long total = device.about().globalMemory();
    if (size > device.maxAllocation()) {
      throw refused(size, "largest buffer", device.maxAllocation());
    }
    if (host == null && size > total - allocated) {
      throw refused(size, "free of " + gib(total), total - allocated);
    }
    try {
      cl_mem buffer = clCreateBuffer(context, flags, host == null ? size : bytes, host, null);
      long own = host == null ? size : 0;
      buffers.put(buffer, own);
      allocated += own;
      return buffer;
    } catch (CLException e) {
      String refusal =
          "%s refuses a buffer of %s (%s); %s of %s are in use"
              .formatted(
                  device.about().name(), gib(size), e.getMessage(), gib(allocated), gib(total));
      if (host == null) {
        throw new OutOfMemoryError(refusal);
      }
      throw new IllegalStateException(refusal, e);
    }
  }

  private OutOfMemoryError refused(long needed, String what, long available) {
    return new OutOfMemoryError(
        "a buffer of %s is needed on %s, %s: %s; a shorter context, --dtype bf16 or file, or --device cpu takes less"
            .formatted(gib(needed), device.about().name(), what, gib(available)));
  }

  private static String gib(long bytes) {
    return bytes < 1 << 20
        ? bytes + " bytes"
        : String.format(Locale.ROOT, "%.3f GiB", (double) bytes / (1L << 30));
  }

  /** Gives a buffer back once the device is done with it. */
  synchronized void release(cl_mem buffer) {
    if (open && buffers.containsKey(buffer)) {
      clFinish(queue);
      clReleaseMemObject(buffer);
      allocated -= buffers.remove(buffer);
    }
  }

  /** The first doubles of a buffer, when all that was asked for before is done. */
  double[] read(cl_mem buffer, int count) {
    double[] values = new double[count];
    long bytes = (long) count * Double.BYTES;
    clEnqueueReadBuffer(queue, buffer, true, 0, bytes, Pointer.to(values), 0, null, null);
    return values;
  }

  void run(cl_kernel kernel, long[] global, long[] local) {
    clEnqueueNDRangeKernel(queue, kernel, global.length, null, global, local, 0, null, null);
  }

  void finish() {
    clFinish(queue);
  }

  @Override
  public synchronized void close() {
    if (open) {
      clFinish(queue);
      open = false;
      buffers.keySet().forEach(b -> clReleaseMemObject(b));
      buffers.clear();
      clReleaseCommandQueue(queue);
      clReleaseContext(context);
    }
  }
}
