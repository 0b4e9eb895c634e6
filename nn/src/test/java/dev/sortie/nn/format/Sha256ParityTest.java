package dev.sortie.nn.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.file.Sha256;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hashes agree with the examples of FIPS 180-4 and with each other, whatever the source. */
@Tag("any-kernels")
class Sha256ParityTest {
  @TempDir Path folder;

  @Test
  void publishedExamplesAgree() {
    assertThat(Sha256.of("abc".getBytes(StandardCharsets.US_ASCII)))
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assertThat(Sha256.of(new byte[0]))
        .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    byte[] million = "a".repeat(1_000_000).getBytes(StandardCharsets.US_ASCII);
    assertThat(Sha256.of(FormatFixtures.write(folder.resolve("a"), million)))
        .isEqualTo("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assertThat(Sha256.of(FormatFixtures.write(folder.resolve("none"), new byte[0])))
        .isEqualTo(Sha256.of(new byte[0]));
  }

  @Test
  void spansHashAsTheirBytes() {
    try (NativeArena arena = new NativeArena("test")) {
      Span span = FormatFixtures.ramp(arena, DType.F32, 50_000, 0);
      byte[] bytes = span.segment().toArray(ValueLayout.JAVA_BYTE);
      assertThat(Sha256.of(span)).isEqualTo(Sha256.of(bytes));
      assertThat(new Sha256().update(span.slice(0, 7)).update(span.slice(7, 49_993)).hex())
          .isEqualTo(Sha256.of(bytes));
      assertThat(Sha256.of(span.slice(0, 49_999))).isNotEqualTo(Sha256.of(bytes));
    }
  }
}
