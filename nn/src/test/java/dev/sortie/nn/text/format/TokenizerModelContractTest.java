package dev.sortie.nn.text.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Fixtures;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A damaged or unsupported tokenizer.model is refused with one line, whatever is wrong with it. */
@Tag("any-kernels")
class TokenizerModelContractTest {
  @TempDir Path folder;

  private byte[] model(String name) throws IOException {
    try (InputStream in = Fixtures.class.getResourceAsStream("sentencepiece/" + name + ".model")) {
      return in.readAllBytes();
    }
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("tokenizer.model"), bytes);
  }

  private void refused(byte[] bytes, String part) throws IOException {
    Path file = file(bytes);
    assertThatThrownBy(() -> TokenizerModel.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(part)
        .hasMessageNotContaining("\n");
  }

  /** What is put after a good model, as bytes in hexadecimal. */
  @ParameterizedTest
  @CsvSource({
    "0A03, 3 bytes",
    "0AFFFFFFFFFFFFFFFFFF01, 18446744073709551615 bytes",
    "0A, ends inside a field",
    "0AFFFFFFFFFFFFFFFFFFFF7F, more than 64 bits",
    "0000, number 0",
    "0B, kind 3",
    "0D00000000, kind 5",
    "0A020A00, is empty",
    "0A030A0161, as id",
    "0A040A02C328, no UTF-8",
    "0A090A0571757578211809, the type 9",
    "0A0C0A05717575782115000080 7F, the score Infinity",
    "12021803, model_type is 3",
    "1203C00101, treat_whitespace_as_suffix is true",
    "1204C802E707, bos_id is 999",
    "1A022800, escape_whitespaces is false",
    "1A05120301020 3, precompiled_charsmap has a trie",
    "0A090A0571757578211802, 2 pieces have the type UNKNOWN",
    "0A090A0571757578211805, is UNUSED",
    "0A090A0571757578211806, is a byte but spelled",
  })
  void whatIsWrongIsNamed(String hex, String part) throws IOException {
    byte[] good = model("bpe");
    String digits = hex.replace(" ", "");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(good);
    for (int i = 0; i < digits.length(); i += 2) {
      bytes.write(Integer.parseInt(digits.substring(i, i + 2), 16));
    }
    refused(bytes.toByteArray(), part);
  }

  @Test
  void cutShortOrChangedItIsReadOrRefusedButNeverCrashes() throws IOException {
    Random random = new Random(6);
    for (String name : new String[] {"bpe_rules", "unigram_rules"}) {
      byte[] good = model(name);
      for (int i = 0; i < 600; i++) {
        byte[] bytes = good.clone();
        if (i % 3 == 0) {
          bytes = Arrays.copyOf(good, random.nextInt(good.length));
        }
        for (int n = random.nextInt(4); n > 0 && bytes.length > 0; n--) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        Path file = file(bytes);
        try {
          TokenizerModel.read(file).encode("\ufb01n a\u0301\u0323 x  y\u3000:::: \uff21");
        } catch (InputException e) {
          assertThat(e).hasMessageStartingWith(file.toString()).hasMessageNotContaining("\n");
        }
      }
    }
  }

  @Test
  void missingFilesAreNamed() {
    Path missing = folder.resolve("tokenizer.model");
    assertThatThrownBy(() -> TokenizerModel.read(missing))
        .hasMessage(missing + ": no such file; check the path");
  }

  /** A table whose trie goes round in a circle, and one whose value lies outside. */
  @Test
  void damagedTablesAreRefused() {
    String shell =
        """
        {"version":"1.0","added_tokens":[],"normalizer":{"type":"Precompiled","precompiled_charsmap":"%s"},
        "pre_tokenizer":null,"post_processor":null,"decoder":{"type":"Fuse"},
        "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1]]}}
        """;
    // Units: label in bits 0 to 7, has a value in bit 8, offset to the children from bit 10.
    byte[] circle = table('a', 'a' << 10 | 'a', 0);
    byte[] outside = table('a', 'b' << 10 | 1 << 8 | 'a', 77);
    for (byte[] blob : new byte[][] {circle, outside, new byte[3], {8, 0, 0, 0, 1}}) {
      String json = shell.formatted(Base64.getEncoder().encodeToString(blob));
      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
      assertThatThrownBy(() -> TokenizerJson.read(new ByteArrayInputStream(bytes), "it.json"))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("it.json: normalizer.precompiled_charsmap ")
          .hasMessageNotContaining("\n");
    }
  }

  /** A trie with one string of one byte; {@code value} stands where that unit's value would be. */
  private static byte[] table(int label, int unit, int value) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * 256 + 1).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(0, 4 * 256);
    bytes.putInt(4 + 4 * (label ^ 'b'), value);
    bytes.putInt(4 + 4 * label, unit);
    return bytes.array();
  }
}
