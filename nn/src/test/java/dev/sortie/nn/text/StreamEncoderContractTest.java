package dev.sortie.nn.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A text that comes in parts has the ids that it has as a whole. */
@Tag("any-kernels")
class StreamEncoderContractTest {
  private static final List<String> WORDS =
      List.of(
          "hen",
          " fox",
          " ",
          "  ",
          "\n",
          "\r\n",
          "\n\n",
          "\t",
          "'s",
          "'LL",
          "\u2019s",
          "12",
          " 3456",
          ".",
          "!\n",
          "\u00e9",
          "e\u0301",
          "\u597D",
          "\u3002",
          "\u3001",
          "\uFF0C",
          "\u0958",
          "\u0130",
          "\u037A",
          "\uD83D\uDE00",
          "<|endoftext|>",
          "\u2581",
          "A",
          "aB");

  private static Stream<String> tokenizers() {
    return Fixtures.all();
  }

  private static String text(Random draw, int length) {
    StringBuilder text = new StringBuilder();
    while (text.length() < length) {
      text.append(WORDS.get(draw.nextInt(WORDS.size())));
    }
    return text.toString();
  }

  private static int[] streamed(Tokenizer tokenizer, String text, Random draw) {
    StreamEncoder encoder = tokenizer.encoder();
    IntArrayList ids = new IntArrayList();
    int end;
    for (int at = 0; at < text.length(); at = end) {
      end = Math.min(text.length(), at + 1 + draw.nextInt(1 << 18));
      end -= end < text.length() && Character.isLowSurrogate(text.charAt(end)) ? 1 : 0;
      ids.addElements(ids.size(), encoder.next(text.substring(at, end)));
    }
    ids.addElements(ids.size(), encoder.finish());
    return ids.toIntArray();
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm", "qwen35", "sentencepiece"})
  void partsHaveTheIdsOfTheWhole(String name) {
    Tokenizer tokenizer = Fixtures.tokenizer(name);
    Random draw = new Random(7);
    String text = text(draw, 5 << 18);
    assertThat(streamed(tokenizer, text, draw)).isEqualTo(tokenizer.encode(text));
    assertThat(streamed(tokenizer, "", draw)).isEqualTo(tokenizer.encode(""));
  }

  /** At each place where a text may be cut, of many short texts. */
  @ParameterizedTest
  @MethodSource("tokenizers")
  void eachCutIsRight(String name) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
    if (!TextCuts.areKnown(tokenizer.spec())) {
      return;
    }
    Random draw = new Random(8);
    for (int i = 0; i < 300; i++) {
      String text = text(draw, 12);
      int[] whole = tokenizer.encode(text, EncodeOptions.PLAIN);
      for (int end = text.length(); end > 0; end--) {
        int cut = TextCuts.last(text.substring(0, end), 0);
        if (cut > 0) {
          IntArrayList ids =
              new IntArrayList(tokenizer.encode(text.substring(0, cut), EncodeOptions.PLAIN));
          int[] rest = tokenizer.encode(text.substring(cut), EncodeOptions.PLAIN);
          ids.addElements(ids.size(), rest);
          assertThat(ids.toIntArray()).as("%s cut at %d", text, cut).isEqualTo(whole);
        }
      }
    }
  }

  @Test
  void byteLevelTokenizersNeedNoWholeTexts() {
    for (String name : Fixtures.BYTE_LEVEL) {
      // these have added tokens that take the white space around them, and a space before texts
      boolean needsAll = name.startsWith("gpt2");
      assertThat(TextCuts.areKnown(Fixtures.tokenizer(name).spec())).as(name).isEqualTo(!needsAll);
    }
  }

  @Test
  void aWordWithoutAnEndIsRefused() {
    StreamEncoder encoder = Fixtures.tokenizer("smollm").encoder();
    String part = "a".repeat(1 << 20);
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 100; i++) {
                encoder.next(part);
              }
            })
        .isInstanceOf(InputException.class)
        .hasMessageContaining("more than 16777216 characters of text have no place");
  }
}
