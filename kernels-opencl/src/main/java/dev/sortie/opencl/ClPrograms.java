package dev.sortie.opencl;

import static org.jocl.CL.*;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jocl.CLException;
import org.jocl.Pointer;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_program;

/** The programs of a session, each built when a kernel of it is first wanted. */
final class ClPrograms implements AutoCloseable {
  private final ClSession session;
  private final Preset preset;
  private final BinaryCache cache;
  private final UnaryOperator<String> edit;
  private final Map<String, cl_program> programs = new HashMap<>();
  private final Map<String, cl_kernel> kernels = new HashMap<>();

  /**
   * Programs of a session.
   *
   * @param edit applied to each source; a test breaks kernels with it
   */
  ClPrograms(ClSession session, Preset preset, BinaryCache cache, UnaryOperator<String> edit) {
    this.session = session;
    this.preset = preset;
    this.cache = cache;
    this.edit = edit;
  }

  /**
   * A kernel.
   *
   * @param file the source without its ending
   * @param define a macro to set, or empty
   * @throws BuildException if the driver's compiler refuses the source
   */
  cl_kernel kernel(String file, String define, String name) {
    String program = file + " " + define;
    return kernels.computeIfAbsent(
        program + " " + name,
        key ->
            clCreateKernel(
                programs.computeIfAbsent(program, p -> build(file, define)), name, null));
  }

  private cl_program build(String file, String define) {
    String source = edit.apply(source("common") + source(file));
    String options =
        preset.options(Family.of(file, define)) + (define.isEmpty() ? "" : " -D" + define);
    BinaryCache.Key key = cache.key(session.device().identity(), options, source);
    byte[] binary = cache.load(key);
    if (binary.length > 0) {
      cl_program program = fromBinary(binary, options);
      if (program != null) {
        return program;
      }
    }
    cl_program program =
        clCreateProgramWithSource(session.context(), 1, new String[] {source}, null, null);
    try {
      clBuildProgram(program, 0, null, options, null, null);
    } catch (CLException e) {
      String log = log(program);
      clReleaseProgram(program);
      throw new BuildException(
          "%s cannot compile %s.cl (%s):%n%s"
              .formatted(session.device().about().name(), file, e.getMessage(), log),
          e);
    }
    cache.store(key, binary(program));
    return program;
  }

  /** The program, or null where the driver does not take its own binary back. */
  private cl_program fromBinary(byte[] binary, String options) {
    cl_device_id[] devices = {session.device().id()};
    cl_program program = null;
    try {
      program =
          clCreateProgramWithBinary(
              session.context(),
              1,
              devices,
              new long[] {binary.length},
              new byte[][] {binary},
              null,
              null);
      clBuildProgram(program, 1, devices, options, null, null);
      return program;
    } catch (CLException e) {
      if (program != null) {
        clReleaseProgram(program);
      }
      return null; // a driver that changed under the same version: built anew and replaced
    }
  }

  private static byte[] binary(cl_program program) {
    long[] size = new long[1];
    clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, Long.BYTES, Pointer.to(size), null);
    byte[] binary = new byte[Math.toIntExact(size[0])];
    if (binary.length > 0) {
      Pointer to = Pointer.to(new Pointer[] {Pointer.to(binary)});
      clGetProgramInfo(program, CL_PROGRAM_BINARIES, Long.BYTES, to, null);
    }
    return binary;
  }

  private String log(cl_program program) {
    try {
      return ClDevice.text(
          (n, to, size) ->
              clGetProgramBuildInfo(
                  program, session.device().id(), CL_PROGRAM_BUILD_LOG, n, to, size));
    } catch (CLException e) {
      return "(the driver gives no log: " + e.getMessage() + ")";
    }
  }

  static String source(String file) {
    try (InputStream in = ClPrograms.class.getResourceAsStream(file + ".cl")) {
      if (in == null) {
        throw new IllegalStateException("no kernel source " + file + ".cl in this build");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    kernels.values().forEach(k -> clReleaseKernel(k));
    programs.values().forEach(p -> clReleaseProgram(p));
    kernels.clear();
    programs.clear();
  }

  /** A source that a driver refuses, with the compiler's log. */
  static final class BuildException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    BuildException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
