package dev.sortie.nn.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Assumptions;

/** Hand-made files and the promise that all format errors keep. */
public final class FormatFixtures {
  private FormatFixtures() {}

  /** A safetensors file from its parts, right or wrong. */
  public static byte[] file(String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return file(json.length, json, dataBytes);
  }

  public static byte[] file(long length, byte[] json, int dataBytes) {
    ByteBuffer out =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(length).put(json);
    for (int i = 0; i < dataBytes; i++) {
      out.put((byte) (i * 37 + 11));
    }
    return out.array();
  }

  public static String entry(String name, String dtype, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}"
        .formatted(name, dtype, shape, offsets);
  }

  /** A span that holds 0.5, 1.5, 2.5, … plus {@code start}. */
  public static Span ramp(NativeArena arena, DType dtype, int length, double start) {
    Span span = arena.allocate(dtype, length).span();
    for (int i = 0; i < length; i++) {
      span.set(i, start + i + (dtype == DType.I32 ? 0 : 0.5));
    }
    return span;
  }

  public static Path write(Path file, byte[] bytes) {
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  public static Path write(Path file, String text) {
    return write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /** An InputException of one line that has all of {@code parts}. */
  public static void assertRefused(ThrowingCallable call, List<String> parts) {
    Throwable thrown = catchThrowable(call);
    assertThat(thrown).isInstanceOf(InputException.class);
    assertThat(thrown.getMessage()).contains(parts).hasLineCount(1).hasSizeLessThan(600);
    assertThat(thrown.getMessage().chars().noneMatch(Character::isISOControl)).isTrue();
  }

  /** A folder of the shared models; the test is skipped where it is absent. */
  public static Path shared(String name) {
    String setting = System.getProperty("SORTIE_SHARED", System.getenv("SORTIE_SHARED"));
    List<Path> roots =
        setting == null
            ? List.of(Path.of("../shared"), Path.of("../../shared"))
            : List.of(Path.of(setting));
    Path found =
        roots.stream()
            .map(r -> r.resolve(name))
            .filter(Files::isDirectory)
            .findFirst()
            .orElse(null);
    Assumptions.assumeTrue(found != null, "no " + name + " in " + roots + "; set SORTIE_SHARED");
    return found;
  }
}
