package dev.sortie.nn.text.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Fixtures;
import dev.sortie.nn.text.SubwordTokenizer;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tokenizer with any byte missing or other is refused in one line, or is one that works. */
@Tag("any-kernels")
class TokenizerJsonDamageContractTest {
  private static SubwordTokenizer read(byte[] bytes) {
    return TokenizerJson.read(new ByteArrayInputStream(bytes), "it.json");
  }

  private static byte[] bytes(String fixture) {
    return Fixtures.text(fixture).strip().getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void truncationAnywhereIsRefused() {
    byte[] right = bytes("nofallback.json");
    read(right);
    for (int length = 0; length < right.length; length++) {
      byte[] cut = Arrays.copyOf(right, length);
      assertThatThrownBy(() -> read(cut))
          .as("%d bytes", length)
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("it.json: ")
          .message()
          .hasLineCount(1);
    }
  }

  /** One bit of each byte, in turn another one. */
  @ParameterizedTest
  @ValueSource(strings = {"nofallback.json", "gpt2.json"})
  void anyOtherByteIsRefusedOrGivesATokenizerThatWorks(String fixture) {
    byte[] right = bytes(fixture);
    int refused = 0;
    for (int at = 0; at < right.length; at++) {
      byte[] bytes = right.clone();
      bytes[at] ^= (byte) (1 << at % 8);
      try {
        SubwordTokenizer tokenizer = read(bytes);
        int[] ids = tokenizer.encode("The hen \u00e9 <s>");
        assertThat(IntStream.of(ids)).allMatch(id -> id >= 0 && id < tokenizer.vocabSize());
        tokenizer.decode(ids);
      } catch (InputException e) {
        assertThat(e.getMessage()).hasLineCount(1);
        assertThat(e.getMessage().chars()).noneMatch(Character::isISOControl);
        refused++;
      }
    }
    assertThat(refused).isBetween(right.length / 4, right.length - 1);
  }
}
