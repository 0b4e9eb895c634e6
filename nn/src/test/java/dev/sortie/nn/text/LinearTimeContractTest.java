package dev.sortie.nn.text;

import static dev.sortie.nn.text.HostileTokenizers.json;

import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.model.BpeOptions;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PostProcessor;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Twice the text or twice the vocabulary takes twice the time, whatever they are. */
@Tag("any-kernels")
class LinearTimeContractTest {
  private static final int LEAST = 1 << 12;

  @TempDir private Path temp;

  /** Repeated, each has ended some engine of regular expressions or normalisation. */
  private static final List<String> TEXTS =
      List.of(
          "a",
          " ",
          "\n",
          " \n",
          "7",
          "'",
          "'s",
          "aA",
          "a ",
          "\u2581",
          "\u0301\u0316",
          "a\u0301",
          "\u0149",
          "\u0130",
          "\u03A3",
          "\u1100\u1161",
          "\uFDFA",
          "\uD83D\uDC69\u200D",
          "\uD83C\uDDE6",
          "\u0000",
          "<|endoftext|>",
          "<|endoftext",
          "<0x41>",
          "\uFF9E",
          "\u200B");

  private Map<String, SubwordTokenizer> tokenizers() {
    Map<String, SubwordTokenizer> all = new LinkedHashMap<>();
    Fixtures.all().forEach(name -> all.put(name, Fixtures.tokenizer(name)));
    List<byte[]> models = TextCorpus.sentencePieceModels();
    for (int i = 0; i < models.size(); i++) {
      all.put("tokenizer.model " + i, HostileTokenizers.readModel(temp, models.get(i)));
    }
    for (Form form : Form.values()) {
      all.put(form.name(), withNormalizer(new Normalizer.Unicode(form)));
    }
    all.put("lowercase", withNormalizer(new Normalizer.Lowercase()));
    all.put("strip", withNormalizer(new Normalizer.Strip(true, true)));
    all.put("accents", withNormalizer(new Normalizer.StripAccents()));
    all.put("spaces", withNormalizer(new Normalizer.CollapseSpaces(" ")));
    return all;
  }

  private static SubwordTokenizer withNormalizer(Normalizer normalizer) {
    SubwordTokenizer gpt2 = Fixtures.tokenizer("gpt2");
    TokenizerSpec s = gpt2.spec();
    return new SubwordTokenizer(
        new TokenizerSpec(
            s.source(),
            s.vocabulary(),
            s.model(),
            s.added(),
            normalizer,
            s.preTokenizer(),
            s.decoding(),
            s.template(),
            s.bos(),
            s.eos()));
  }

  private static String grown(String of, int length) {
    return of.repeat(length / of.length() + 1);
  }

  private static DynamicTest test(String name, int from, IntFunction<Runnable> prepared) {
    return DynamicTest.dynamicTest(name, () -> Cost.assertLinear(from, prepared));
  }

  private static DynamicTest encoding(String name, SubwordTokenizer tokenizer, String of) {
    String shown = name + " " + of.chars().mapToObj("%04X"::formatted).toList();
    return test(
        shown,
        LEAST,
        n -> {
          String text = grown(of, n);
          return () -> tokenizer.decode(tokenizer.encode(text));
        });
  }

  /** One tokenizer for each text in turn; {@link #allTextsForAllTokenizers} has the product. */
  @TestFactory
  Stream<DynamicTest> texts() {
    List<Map.Entry<String, SubwordTokenizer>> all = List.copyOf(tokenizers().entrySet());
    return IntStream.range(0, TEXTS.size())
        .mapToObj(
            i -> {
              var one = all.get(i % all.size());
              return encoding(one.getKey(), one.getValue(), TEXTS.get(i));
            });
  }

  @TestFactory
  @Tag("slow")
  Stream<DynamicTest> allTextsForAllTokenizers() {
    return tokenizers().entrySet().stream()
        .flatMap(t -> TEXTS.stream().map(text -> encoding(t.getKey(), t.getValue(), text)));
  }

  @TestFactory
  Stream<DynamicTest> vocabularies() {
    return Stream.of(
        test("tokens", LEAST, n -> vocabulary(distinct(n))),
        test("tokens of one hash code", LEAST, n -> vocabulary(HostileTokenizers.colliding(n))),
        test("a long piece", LEAST, n -> pieces(List.of("a", "a".repeat(n)))),
        test("two long pieces", LEAST, n -> pieces(List.of("a".repeat(n), "a".repeat(2 * n)))),
        test("pieces", LEAST, n -> pieces(distinct(n))),
        test("merges", LEAST, LinearTimeContractTest::merges),
        test(
            "added tokens",
            LEAST,
            n -> {
              HostileTokenizers.JsonFile file = json();
              distinct(n).forEach(file::added);
              return reading(file);
            }),
        test("a long added token", LEAST, n -> reading(json().added("a".repeat(n)))),
        test(
            "a unigram piece",
            LEAST,
            n -> {
              byte[] model =
                  HostileTokenizers.sentencePiece(
                      HostileTokenizers.UNIGRAM, List.of("a", "a".repeat(n)));
              return () -> HostileTokenizers.readModel(temp, model);
            }));
  }

  private static List<String> distinct(int count) {
    return IntStream.range(0, count).mapToObj(i -> "t" + i).toList();
  }

  private static Runnable vocabulary(List<String> tokens) {
    return () -> {
      Vocabulary vocabulary = new Vocabulary("here", tokens);
      tokens.forEach(vocabulary::id);
    };
  }

  private static Runnable pieces(List<String> pieces) {
    return () -> HostileTokenizers.readGguf(pieces);
  }

  private static Runnable reading(HostileTokenizers.JsonFile file) {
    byte[] utf8 = file.text().getBytes(StandardCharsets.UTF_8);
    return () -> TokenizerJson.read(new ByteArrayInputStream(utf8), "tokenizer.json");
  }

  /** Pairs of letters whose places in an open table were the same before there was a seed. */
  private static Runnable merges(int count) {
    int letters = (int) Math.ceil(Math.sqrt(count));
    List<String> tokens = new ArrayList<>(distinct(letters));
    List<String> left = new ArrayList<>();
    List<String> right = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      left.add("t" + i / letters);
      right.add("t" + i % letters);
      tokens.add(left.getLast() + right.getLast());
    }
    return () -> {
      Vocabulary vocabulary = new Vocabulary("here", tokens);
      MergeTable.of("here", vocabulary, left, right);
    };
  }

  @Test
  void longWords() {
    SubwordTokenizer random = randomMerges();
    Cost.assertLinear(
        LEAST,
        n -> {
          Random draw = new Random(n);
          StringBuilder word = new StringBuilder();
          for (int i = 0; i < n; i++) {
            word.append((char) ('a' + draw.nextInt(4)));
          }
          return () -> random.encode(word.toString());
        });
  }

  /** All pairs of four letters merge, and pairs of these. */
  private static SubwordTokenizer randomMerges() {
    List<String> tokens = new ArrayList<>(List.of("a", "b", "c", "d"));
    List<String> left = new ArrayList<>();
    List<String> right = new ArrayList<>();
    for (int round = 0; round < 2; round++) {
      List<String> before = List.copyOf(tokens);
      for (String first : before) {
        for (String second : before) {
          if (!tokens.contains(first + second)) {
            left.add(first);
            right.add(second);
            tokens.add(first + second);
          }
        }
      }
    }
    Vocabulary vocabulary = new Vocabulary("here", tokens);
    return new SubwordTokenizer(
        new TokenizerSpec(
            "here",
            vocabulary,
            new SubwordModel.Bpe(
                MergeTable.of("here", vocabulary, left, right),
                new BpeOptions(false, false, false, false, OptionalInt.empty())),
            List.of(),
            new Normalizer.None(),
            new PreTokenizer.None(),
            TokenDecoding.of(new TokenDecoding.Fuse()),
            PostProcessor.NONE,
            OptionalInt.empty(),
            OptionalInt.empty()));
  }
}
