package dev.sortie.tests;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.SubwordTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Assumptions;

/**
 * Hugging Face's tokenizers, the library that {@code tokenizer.json} is the format of, behind DJL's
 * binding. Its native library lies in DJL's jar, so no network is needed.
 */
final class ReferenceTokenizer implements AutoCloseable {
  private final HuggingFaceTokenizer tokenizer;

  private ReferenceTokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The tokenizer of a file; skips the test where the native library is not for this machine. */
  static ReferenceTokenizer read(Path file) {
    try {
      return new ReferenceTokenizer(
          HuggingFaceTokenizer.builder()
              .optTokenizerPath(file)
              .optTruncation(false)
              .optPadding(false)
              .build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (UnsatisfiedLinkError | NoClassDefFoundError | ExceptionInInitializerError e) {
      Assumptions.abort("Hugging Face's tokenizers does not load on this machine: " + e);
      throw e;
    }
  }

  /** The ids with what the post-processor adds; special tokens in the text are parsed. */
  int[] encode(String text) {
    return Arrays.stream(tokenizer.encode(text, true, false).getIds())
        .mapToInt(Math::toIntExact)
        .toArray();
  }

  String decode(int[] ids, boolean keepSpecial) {
    return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), !keepSpecial);
  }

  /** Checks that {@code ours} gives the same ids on each text, and the same text for those ids. */
  void assertSame(SubwordTokenizer ours, List<String> texts) {
    SoftAssertions softly = new SoftAssertions();
    for (String text : texts) {
      int[] expected = encode(text);
      int[] ids = ours.encode(text, new EncodeOptions(true, true));
      softly.assertThat(ids).as("ids of %s", escaped(text)).containsExactly(expected);
      if (Arrays.equals(ids, expected)) {
        for (boolean keepSpecial : new boolean[] {true, false}) {
          softly
              .assertThat(escaped(ours.decode(ids, keepSpecial)))
              .as("text of %s", Arrays.toString(ids))
              .isEqualTo(escaped(decode(ids, keepSpecial)));
        }
      }
      if (softly.errorsCollected().size() > 10) {
        break;
      }
    }
    softly.assertAll();
  }

  /** Characters that a terminal would hide or turn round, by their code. */
  static String escaped(String text) {
    StringBuilder out = new StringBuilder();
    text.chars()
        .forEach(
            c ->
                out.append(
                    c >= ' ' && c <= '~' ? String.valueOf((char) c) : "\\u%04X".formatted(c)));
    return out.toString();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
