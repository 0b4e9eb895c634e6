package dev.sortie.nn.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.SplitBehavior;
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
  @ValueSource(strings = {"smollm", "qwen35", "sentencepiece", "metaspace"})
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
    if (tokenizer.cuts().isPresent()) {
      assertThat(eachCutIsRight(tokenizer)).isGreaterThan(100);
    }
  }

  /** The number of cuts. */
  private static int eachCutIsRight(SubwordTokenizer tokenizer) {
    TextCuts cuts = tokenizer.cuts().orElseThrow();
    Random draw = new Random(8);
    int count = 0;
    for (int i = 0; i < 300; i++) {
      String text = text(draw, 12);
      int[] whole = tokenizer.encode(text, EncodeOptions.PLAIN);
      for (int end = text.length(); end > 0; end--) {
        int cut = cuts.last(text.substring(0, end), 0);
        if (cut > 0) {
          String rest = text.substring(cut + cuts.leftOut());
          IntArrayList ids =
              new IntArrayList(tokenizer.encode(text.substring(0, cut), EncodeOptions.PLAIN));
          int[] more = tokenizer.encode(rest, EncodeOptions.PLAIN);
          ids.addElements(ids.size(), more);
          assertThat(ids.toIntArray()).as("%s cut at %d", text, cut).isEqualTo(whole);
          count++;
        }
      }
    }
    return count;
  }

  @Test
  void tokenizersNeedNoWholeTexts() {
    for (String name : List.of("smollm", "llama3", "qwen2", "qwen35")) {
      assertThat(Fixtures.tokenizer(name).cuts()).as(name).hasValue(TextCuts.BEFORE_SPACES);
    }
    assertThat(Fixtures.tokenizer("sentencepiece").cuts()).hasValue(TextCuts.AT_A_SPACE);
    assertThat(Fixtures.tokenizer("metaspace").cuts()).hasValue(TextCuts.BEFORE_A_SPACE);
    for (String name : List.of("gpt2", "gpt2prefix")) {
      // these have added tokens that take the white space around them, and a space before texts
      assertThat(Fixtures.tokenizer(name).cuts()).as(name).isEmpty();
    }
  }

  private static final Normalizer VISIBLE = new Normalizer.Replace(" ", "\u2581");
  private static final Normalizer PREPENDED =
      new Normalizer.Sequence(List.of(new Normalizer.Prepend("\u2581"), VISIBLE));

  private static SubwordTokenizer with(
      Normalizer normalizer, PreTokenizer preTokenizer, AddedToken... added) {
    TokenizerSpec s = Fixtures.tokenizer("sentencepiece").spec();
    return new SubwordTokenizer(
        new TokenizerSpec(
            s.source(),
            s.vocabulary(),
            s.model(),
            List.of(added),
            normalizer,
            preTokenizer,
            s.decoding(),
            s.template(),
            s.bos(),
            s.eos()));
  }

  private static AddedToken token(String content, boolean normalized) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer("sentencepiece");
    int id = tokenizer.id(content).orElse(tokenizer.vocabSize());
    return new AddedToken(id, content, false, false, false, false, normalized);
  }

  @Test
  void wordsOfOtherStagesAndAddedTokensAreCutRight() {
    PreTokenizer none = new PreTokenizer.None();
    PreTokenizer spaces =
        new PreTokenizer.Delimiter(" ", SplitBehavior.MERGED_WITH_PREVIOUS, false);
    for (boolean normalized : new boolean[] {false, true}) {
      for (String content : List.of("\n\n", "3", "<|", "\u2581\u2581", "'s")) {
        for (SubwordTokenizer tokenizer :
            List.of(
                with(VISIBLE, none, token(content, normalized)),
                with(VISIBLE, spaces, token(content, normalized)))) {
          assertThat(tokenizer.cuts()).hasValue(TextCuts.BEFORE_A_SPACE);
          eachCutIsRight(tokenizer);
        }
      }
      for (String content : List.of("\n\n", "3", "<|")) {
        SubwordTokenizer tokenizer = with(PREPENDED, none, token(content, normalized));
        assertThat(tokenizer.cuts()).hasValue(TextCuts.AT_A_SPACE);
        eachCutIsRight(tokenizer);
      }
      for (String content : List.of("hen", " fox", "\u2581fox", "n f", "n\u2581f", "n ", "'s")) {
        assertThat(with(PREPENDED, none, token(content, normalized)).cuts()).as(content).isEmpty();
      }
    }
    for (boolean split : new boolean[] {false, true}) {
      for (PreTokenizer.PrependScheme scheme : PreTokenizer.PrependScheme.values()) {
        SubwordTokenizer tokenizer =
            with(new Normalizer.None(), new PreTokenizer.Metaspace('\u2581', scheme, split));
        assertThat(tokenizer.cuts()).hasValue(TextCuts.BEFORE_A_SPACE);
        eachCutIsRight(tokenizer);
      }
    }
    assertThat(with(new Normalizer.None(), none).cuts()).isEmpty();
    assertThat(with(new Normalizer.Prepend("\u2581"), spaces).cuts()).isEmpty();
    assertThat(with(new Normalizer.Lowercase(), none).cuts()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm", "sentencepiece", "metaspace"})
  void aLongTextIsEncodedBeforeItsEnd(String name) {
    StreamEncoder encoder = Fixtures.tokenizer(name).encoder();
    int ids = encoder.next("hen fox ".repeat(1 << 17)).length;
    assertThat(encoder.finish()).hasSizeLessThan(ids / 1000);
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
