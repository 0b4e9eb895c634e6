package dev.sortie.nn.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.model.BpeOptions;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PostProcessor;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.unicode.ByteAlphabet;
import dev.sortie.nn.text.unicode.UnicodeForms;
import java.text.Normalizer.Form;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for each tokenizer and any text. */
@Tag("any-kernels")
class TokenizerContractTest {

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "smollm", "llama3", "sentencepiece"})
  void anyTextComesBackUnchanged(String name) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
    Random random = new Random(7);
    for (int i = 0; i < 300; i++) {
      String any = Fixtures.randomText(random, random.nextInt(60));
      // SentencePiece cannot tell its own mark of a space from a space.
      String text = name.equals("sentencepiece") ? any.replace('\u2581', '_') : any;
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.sortie.nn.text.Fixtures#all")
  void streamJoinsToDecodeForAnyIds(String name) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
    Random random = new Random(8);
    StreamDecoder stream = tokenizer.stream();
    for (int i = 0; i < 300; i++) {
      int[] ids = random.ints(random.nextInt(30), 0, tokenizer.vocabSize() + 3).toArray();
      List<String> parts = new ArrayList<>();
      for (int id : ids) {
        parts.add(stream.next(id));
      }
      parts.add(stream.finish());
      String joined = String.join("", parts);
      assertThat(joined).isEqualTo(tokenizer.decode(ids));
      // No part ends in half a surrogate pair, so each can be written as UTF-8 at once.
      assertThat(parts).noneMatch(p -> !p.isEmpty() && Character.isHighSurrogate(lastChar(p)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "sentencepiece"})
  void aCharacterAppearsOnlyWhenItIsWhole(String name) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
    int[] ids = tokenizer.encode("a😀", EncodeOptions.PLAIN);
    StreamDecoder stream = tokenizer.stream();
    StringBuilder before = new StringBuilder();
    for (int i = 0; i < ids.length - 1; i++) {
      before.append(stream.next(ids[i]));
    }
    assertThat(before).hasToString("a");
    assertThat(stream.next(ids[ids.length - 1]) + stream.finish()).isEqualTo("😀");
    assertThat(stream.next(ids[ids.length - 2]) + stream.finish()).isEqualTo("\uFFFD");
  }

  @Test
  void invalidBytesBecomeReplacementCharacters() {
    SubwordTokenizer tokenizer = Fixtures.tokenizer("gpt2");
    assertThat(tokenizer.decode(byteTokens(tokenizer, 0xED, 0xA0, 0x80, 'a')))
        .isEqualTo("\uFFFD\uFFFD\uFFFDa");
    assertThat(tokenizer.decode(byteTokens(tokenizer, 0xF0, 0x9F, 0x98, 'a', 0xC3)))
        .isEqualTo("\uFFFDa\uFFFD");
    SubwordTokenizer pieces = Fixtures.tokenizer("sentencepiece");
    int[] run = {3 + 0xC3, 3 + 0xA9, 3 + 0xC3};
    assertThat(pieces.decode(run)).isEqualTo("\uFFFD\uFFFD\uFFFD");
  }

  @Test
  void idsWithoutATokenAreVisible() {
    SubwordTokenizer tokenizer = Fixtures.tokenizer("smollm");
    assertThat(tokenizer.decode(new int[] {tokenizer.vocabSize() + 5})).isEqualTo("\uFFFD");
    assertThatThrownBy(() -> tokenizer.decode(new int[] {-1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm", "llama3"})
  void specialTokensInTextAreNeverParsedUnlessAsked(String name) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
    Random random = new Random(9);
    List<String> specials = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");
    for (int i = 0; i < 200; i++) {
      String text =
          specials.get(random.nextInt(3)).repeat(random.nextInt(3))
              + Fixtures.randomText(random, random.nextInt(4))
              + specials.get(random.nextInt(3));
      int[] ids = tokenizer.encode(text, EncodeOptions.PLAIN);
      assertThat(IntStream.of(ids)).noneMatch(tokenizer::isSpecial);
      assertThat(tokenizer.decode(ids)).isEqualTo(text);
      assertThat(IntStream.of(tokenizer.encode(text, new EncodeOptions(false, true))))
          .anyMatch(tokenizer::isSpecial);
    }
  }

  @Test
  void aPieceThatIsASpecialTokenStaysTextEvenIfMergesAreIgnored() {
    Vocabulary vocabulary = new Vocabulary("here", List.of("a", "b", "ab"));
    TokenizerSpec spec =
        new TokenizerSpec(
            "here",
            vocabulary,
            new SubwordModel.Bpe(
                MergeTable.of("here", vocabulary, List.of(), List.of()),
                new BpeOptions(true, false, false, true, OptionalInt.empty())),
            List.of(AddedToken.special(2, "ab")),
            new Normalizer.None(),
            new PreTokenizer.ByteLevel(false, true),
            TokenDecoding.BYTE_LEVEL,
            PostProcessor.NONE,
            OptionalInt.empty(),
            OptionalInt.empty());
    SubwordTokenizer tokenizer = new SubwordTokenizer(spec);
    assertThat(tokenizer.encode("ab")).containsExactly(0, 1);
    assertThat(tokenizer.encode("ab", new EncodeOptions(false, true))).containsExactly(2);
    assertThat(tokenizer.encode("acb")).as("no token for c").containsExactly(0, 1);
  }

  /** As a tokenizer has them that was trained on conversations: whose author could forge a turn. */
  @Test
  void mergesThatLeadToASpecialTokenAreNotTakenInText() {
    Vocabulary vocabulary = new Vocabulary("here", List.of("<", "s", ">", "<s", "<s>", "a", "sa"));
    TokenizerSpec spec =
        new TokenizerSpec(
            "here",
            vocabulary,
            new SubwordModel.Bpe(
                MergeTable.of("here", vocabulary, List.of("<", "<s", "s"), List.of("s", ">", "a")),
                new BpeOptions(false, false, false, false, OptionalInt.empty())),
            List.of(AddedToken.special(4, "<s>")),
            new Normalizer.None(),
            new PreTokenizer.None(),
            TokenDecoding.BYTE_LEVEL,
            PostProcessor.NONE,
            OptionalInt.empty(),
            OptionalInt.empty());
    SubwordTokenizer tokenizer = new SubwordTokenizer(spec);
    assertThat(tokenizer.encode("a<s>a")).containsExactly(5, 3, 2, 5);
    assertThat(tokenizer.encode("<sa")).containsExactly(3, 5);
    assertThat(tokenizer.encode("a<s>a", new EncodeOptions(false, true))).containsExactly(5, 4, 5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\uD83Db", "ab\uDE00", "\uDE00\uD83D", "\uD83D\uDE00\uD83D"})
  void unpairedSurrogatesAreRefusedWithTheirPlace(String text) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer("gpt2");
    assertThatThrownBy(() -> tokenizer.encode(text))
        .isInstanceOf(InputException.class)
        .hasMessageMatching(
            "the text has the unpaired surrogate U\\+D[89A-F]\\w\\w at index [0-2], .*");
  }

  @Test
  void longRunsOfMarksTakeLinearTimeAndAreInCanonicalOrder() {
    String marks = "\u0301\u0316\u0345\u0334\u0F73\u05B0\uFF9E";
    for (Form form : Form.values()) {
      Normalizer normalizer = new Normalizer.Unicode(form);
      Budget budget = new Budget("here", "a text", 2_000_000);
      String some = "a" + marks.repeat(200) + "b\u0301" + marks.repeat(60) + "\u0903\u0316\u0301";
      assertThat(normalizer.normalize(some, budget))
          .isEqualTo(java.text.Normalizer.normalize(some, form));
      String many = "a" + marks.repeat(150_000);
      assertTimeout(Duration.ofSeconds(20), () -> normalizer.normalize(many, budget));
    }
  }

  /** Runs are found by their characters, so a new version of Unicode must not bring others. */
  @ParameterizedTest
  @EnumSource(
      value = Form.class,
      names = {"NFD", "NFKD"})
  void noOtherCharacterBecomesAMarkThatMoves(Form form) {
    for (int c = 0x300; c <= Character.MAX_CODE_POINT; c++) {
      boolean surrogate = c >= 0xD800 && c <= 0xDFFF;
      if (!surrogate && !UnicodeForms.isPartOfRun(c)) {
        String text = java.text.Normalizer.normalize(Character.toString(c), form);
        assertThat(java.text.Normalizer.isNormalized("\u0345" + text, Form.NFD)).isTrue();
        String first = Character.toString(text.codePointAt(0));
        assertThat(java.text.Normalizer.isNormalized(first + "\u0334", Form.NFD)).isTrue();
      }
    }
  }

  @Test
  void scoresGiveTheMergesOfSentencePiece() {
    Vocabulary vocabulary = new Vocabulary("here", List.of("a", "b", "c", "ab", "bc", "abc"));
    float[] scores = {0, 0, 0, -3, -1, -2};
    MergeTable merges = MergeTable.ofScores("here", vocabulary, scores);
    assertThat(merges.size()).isEqualTo(4);
    assertThat(merges.rank(1, 2)).as("bc has the best score").isZero();
    assertThat(merges.rank(0, 4)).as("a + bc, lower ids first").isEqualTo(1);
    assertThat(merges.rank(3, 2)).as("ab + c").isEqualTo(2);
    assertThat(merges.result(merges.rank(0, 1))).isEqualTo(3);
    assertThatThrownBy(() -> MergeTable.ofScores("here", vocabulary, new float[2]))
        .isInstanceOf(InputException.class);
  }

  @Test
  void otherSpecialsMustExist() {
    SubwordTokenizer tokenizer = Fixtures.tokenizer("smollm");
    assertThat(tokenizer.eosId()).isEmpty();
    assertThat(tokenizer.withSpecials(OptionalInt.of(1), OptionalInt.of(2)).eosId()).hasValue(2);
    assertThatThrownBy(() -> tokenizer.withSpecials(OptionalInt.empty(), OptionalInt.of(9999)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("eos")
        .hasMessageContaining("9999");
  }

  @Test
  void hostileTextTakesLinearTime() {
    String spaces = " ".repeat(400_000) + "x";
    String letters = "ab".repeat(200_000);
    String marks = "<|".repeat(200_000);
    for (String name : Fixtures.all().toList()) {
      SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
      for (String text : List.of(spaces, letters, marks)) {
        assertTimeout(Duration.ofSeconds(20), () -> tokenizer.encode(text));
      }
    }
  }

  private static char lastChar(String text) {
    return text.charAt(text.length() - 1);
  }

  private static int[] byteTokens(Tokenizer tokenizer, int... bytes) {
    int[] ids = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      ids[i] = tokenizer.id(String.valueOf(ByteAlphabet.toChar(bytes[i]))).orElseThrow();
    }
    return ids;
  }
}
