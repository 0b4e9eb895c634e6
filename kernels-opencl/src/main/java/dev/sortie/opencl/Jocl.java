package dev.sortie.opencl;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jocl.CL;

/**
 * Loads OpenCL and JOCL, once. JOCL unpacks its native library into the temporary folder under a
 * fixed name and loads whatever lies there already, which another user of the machine may have
 * planted; so it gets a folder of its own that nobody else can write to. Its calls give error codes
 * unless told to throw, so that a forgotten check loses an error; here they throw.
 */
final class Jocl {
  /**
   * The names of OpenCL itself on this OS. Probed first, since JOCL prints when it does not find
   * it.
   */
  private static final List<String> LIBRARIES =
      libraries(System.getProperty("os.name").toLowerCase(Locale.ROOT));

  private static final String TEMPORARY = "java.io.tmpdir";

  private Jocl() {}

  /** Why OpenCL cannot be used, in one line; empty if it can. */
  static String unavailable() {
    return Loaded.REASON;
  }

  private static String load() {
    if (LIBRARIES.stream().noneMatch(Jocl::loads)) {
      return "OpenCL is not installed: "
          + String.join(" and ", LIBRARIES)
          + " cannot be loaded; install a driver (ICD) and the OpenCL loader";
    }
    try {
      loadPrivately();
      return "";
    } catch (LinkageError e) {
      return "OpenCL is installed, but JOCL cannot load it: " + firstLine(e);
    } catch (IOException e) {
      return "OpenCL: no private folder for JOCL's native library can be made: " + firstLine(e);
    }
  }

  private static void loadPrivately() throws IOException {
    Path folder = Files.createTempDirectory("sortie-jocl"); // only its owner may enter it
    String usual = System.getProperty(TEMPORARY);
    System.setProperty(TEMPORARY, folder.toString()); // JOCL reads it when its class is loaded
    try {
      CL.setExceptionsEnabled(true);
    } finally {
      System.setProperty(TEMPORARY, usual);
      remove(folder);
    }
  }

  /** A loaded library needs its file no longer, except on Windows, where it stays. */
  private static void remove(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (!file.toFile().delete()) {
          file.toFile().deleteOnExit();
        }
      }
    }
    if (!folder.toFile().delete()) {
      folder.toFile().deleteOnExit();
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

  private static String firstLine(Throwable e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    String message = String.valueOf(cause.getMessage());
    return message.lines().findFirst().orElse("").strip();
  }

  private static final class Loaded {
    private static final String REASON = load();
  }
}
