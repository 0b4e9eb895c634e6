package dev.sortie.benchmarks.peer;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The environment of this process as native libraries see it; Java's own view is a copy from the
 * start. For POSIX systems.
 */
final class Environment {
  private final MethodHandle setenv;
  private final MethodHandle unsetenv;

  Environment(Linker linker) {
    var lookup = linker.defaultLookup();
    this.setenv =
        linker.downcallHandle(
            lookup.findOrThrow("setenv"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    this.unsetenv =
        linker.downcallHandle(
            lookup.findOrThrow("unsetenv"), FunctionDescriptor.of(JAVA_INT, ADDRESS));
  }

  void set(String name, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment n = arena.allocateFrom(name);
      check(name, (int) setenv.invokeExact(n, arena.allocateFrom(value), 1));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("setenv failed", e);
    }
  }

  void unset(String name) {
    try (Arena arena = Arena.ofConfined()) {
      check(name, (int) unsetenv.invokeExact(arena.allocateFrom(name)));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("unsetenv failed", e);
    }
  }

  private static void check(String name, int result) {
    if (result != 0) {
      throw new IllegalStateException("the variable " + name + " cannot be changed");
    }
  }
}
