package dev.sortie.eetuning.decode.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GenerationState;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.format.TokenizerJson;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a grammar allows, token by token, and which grammars are refused. */
@Tag("any-kernels")
class GrammarContractTest {
  private static final GrammarTexts BYTES = GrammarTexts.bytes();

  private static final String SPACED_WORDS =
      """
      {"version": "1.0", "added_tokens": [{"id": 0, "content": "<s>", "special": true}],
       "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
       "model": {"type": "BPE", "vocab": {"<s>": 0, "▁yes": 1, "yes": 2, "!": 3}, "merges": []}}
      """;

  private static Grammar grammar(String text) {
    return Gbnf.read("grammar", text.replace('~', '\n'));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          root ::= "ab" | "ac" "d"?               ; ab ac acd            ; a abd acdd b
          root ::= [a-c]+ [^a-z0-9]               ; aX abc- bé           ; X aa a1 ab
          root ::= "x"{2,4}                       ; xx xxx xxxx          ; x xxxxx
          root ::= "x"{2} "y"{,2} "z"{1,}         ; xxz xxyyzz           ; xx xxyyyz xyz
          root ::= ("a" | "b" ("c" | "d"))* "e"   ; e aabce bde          ; b abe
          root ::= a~a ::= "(" a? ")"             ; () ((()))            ; ( (() )(
          root ::= a*~a ::= "<" root ">"          ; <> <><<>>            ; < <>>
          root ::= "a" . "c"                      ; abc aüc a😀c         ; ac abbc
          root ::= [ä-ü€] | "\\x41\\u00df\\U0001F600" ; ä ü € Aß😀       ; a ý Aß
          root ::= "x" root "y" | "x" root "z" | "o"  ; o xxxozyz        ; xo xoyy
          root ::= # one rule~ "a" # more~x ::= "b" ; a                  ; b
          root ::= (("a" |~"b")~ "c")             ; ac bc                ; a
          root ::= ""* "a" (""* | "")             ; a                    ; aa
          root ::= a b c~a ::= "1"?~b ::= a "2"?~c ::= b a ; 1 2 112 1211 ; 3 22222
          root ::= [\\]\\[\\\\^-]+                ; ][\\^-               ; a
          """)
  void aTextIsTakenIfItIsOneOfTheGrammar(String text, String taken, String refused) {
    Grammar grammar = grammar(text);
    for (String t : taken.split(" +")) {
      assertThat(BYTES.accepts(grammar, t)).as(t).isTrue();
    }
    for (String t : refused.split(" +")) {
      assertThat(BYTES.accepts(grammar, t)).as(t).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          root ::= b                       ; there is no rule "b"
          a ::= "b"                        ; there is no rule "root"
          root ::= "a                      ; line 1, column 12: the grammar ends
          root ::= [a-                     ; the grammar ends
          root ::= [z-a]                   ; a range of characters ends before it begins
          root ::= ("a"                    ; found the end, expected )
          root ::= "a"~root ::= "b"        ; line 2, column 1: the rule "root" is defined twice
          root = "a"                       ; found "=", expected ::=
          root ::= "a" & "b"               ; found "&", expected the end of the rule's line
          root ::= "\\q"                   ; a backslash stands before
          root ::= "\\ud800"               ; U+D800 is no character
          root ::= "\\xg0"                 ; found "g", expected 2 hexadecimal digits
          root ::= "a"{3,2}                ; at least 3 and at most 2 times
          root ::= "a"{123456789}          ; at most 7 digits
          root ::= root "a" | "b"          ; rule "root" begins with itself
          root ::= a "b"~a ::= "c"? root   ; begins with itself
          root ::= (a "b")*~a ::= (b? a)*~b ::= "c" ; rule "a" begins with itself
          root ::= "a" root                ; no text ends
          root ::= "a"{900000}             ; has more than 100000 states and edges
          root ::= (("a"{1000}){1000}){1000} ; has more than 100000 states and edges
          root ::= (""{1000000}){1000000}  ; has more than 100000 states and edges
          """)
  void aGrammarThatCannotBeFollowedIsRefused(String text, String reason) {
    assertThatThrownBy(() -> BYTES.tokens(grammar(text)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("grammar")
        .hasMessageContaining(reason);
  }

  @Test
  void whatIsNestedTooDeepIsRefusedAndNothingOverflows() {
    assertThatThrownBy(() -> grammar("root ::= " + "(".repeat(100_000)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("nested more than 100 deep");
    assertThatThrownBy(() -> grammar("root ::= \"a\"" + "*".repeat(100_000)))
        .isInstanceOf(InputException.class);
    StringBuilder chain = new StringBuilder("root ::= a0\n");
    for (int i = 0; i < 5_000; i++) {
      chain.append("a%d ::= \"<\" a%d \">\"\n".formatted(i, i + 1));
    }
    chain.append("a5000 ::= \"x\"");
    assertThatThrownBy(() -> BYTES.tokens(grammar(chain.toString())))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no text ends");
  }

  /** Where it is nested as deep as it may be, there is still a way to its end. */
  @Test
  void aTextIsNestedSoDeepThatItCanStillEnd() {
    Grammar grammar =
        grammar(
            "root ::= v~v ::= \"[\" v s \"]\" | \"{\" s v s \"}\" s | \"x\"~s ::= \" \" t~t ::= \".\"? u~u ::= \"!\"");
    LogitRule rule = BYTES.tokens(grammar).get();
    int depth = BYTES.taken(rule, "[".repeat(1000).getBytes(StandardCharsets.UTF_8));
    assertThat(depth).isBetween(100, 130);
    byte[] rest = ("x" + " !]".repeat(depth)).getBytes(StandardCharsets.UTF_8);
    assertThat(BYTES.taken(rule, rest)).isEqualTo(rest.length);
    assertThat(BYTES.allowed(rule)[BYTES.end()]).isTrue();
  }

  /** Each of 2^n ways to read n letters has its own stack. */
  @Test
  void anAmbiguousGrammarIsFollowedWithoutAStackForEachWay() {
    Grammar grammar =
        grammar(
            """
            root ::= a
            a ::= "x" b "1" | "x" b "2" | "x" c "1" | "o"
            b ::= a | c | "x" a
            c ::= b2 "?" | a
            b2 ::= a
            """);
    LogitRule rule = BYTES.tokens(grammar).get();
    byte[] text = ("x".repeat(60) + "o" + "12".repeat(15)).getBytes(StandardCharsets.UTF_8);
    long start = System.nanoTime();
    assertThat(BYTES.taken(rule, text)).isEqualTo(text.length);
    assertThat((System.nanoTime() - start) * 1e-9).isLessThan(20);
  }

  /** A mask is what following the bytes of each token would give. */
  @Test
  void aTokenOfManyBytesIsAllowedWhereItsBytesAre() {
    String sample =
        "{\"name\": \"fox\", \"age\": [1, 2, 30], \"who\": {\"name\": null}} ".repeat(3);
    GrammarTexts merged = new GrammarTexts(120, sample + "the \"hen\" sat, {\"a\":\"bc\"} é€😀");
    Grammar json =
        grammar(
            """
            root ::= value
            value ::= "{" (pair (", " pair)*)? "}" | "[" (value (", " value)*)? "]" | string | [0-9]+ | "null"
            pair ::= string ": " value
            string ::= "\\"" [^"\\\\]* "\\""
            """);
    TokenGrammar tokens = merged.tokens(json);
    Random random = new Random(11);
    for (int text = 0; text < 8; text++) {
      LogitRule rule = tokens.get();
      StringBuilder soFar = new StringBuilder();
      byte[] read = {};
      for (int i = 0; i < 16; i++) {
        boolean[] allowed = merged.allowed(rule);
        for (int id = 0; id < merged.tokenizer().vocabSize(); id++) {
          if (id != merged.end()) {
            byte[] with = concat(read, merged.tokenizer().bytes(id));
            assertThat(allowed[id])
                .as("%s + %s", soFar, merged.tokenizer().token(id))
                .isEqualTo(merged.taken(tokens.get(), with) == with.length);
          }
        }
        int[] choices =
            java.util.stream.IntStream.range(0, allowed.length).filter(n -> allowed[n]).toArray();
        int id = choices[random.nextInt(choices.length)];
        if (id == merged.end()) {
          break;
        }
        read = concat(read, merged.tokenizer().bytes(id));
        soFar.append(merged.tokenizer().token(id).orElseThrow());
        rule.chosen(id);
      }
    }
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** Where an exit's head covers no token that the grammar allows, it has no opinion of them. */
  @Test
  void tokensThatAHeadDoesNotCoverAreEquallyLikely() {
    for (String text : new String[] {"root ::= \"ab\" | \"cd\"", "root ::= [^x]+"}) {
      LogitRule rule = BYTES.tokens(grammar(text)).get();
      boolean[] allowed = BYTES.allowed(rule);
      float[] logits = new float[allowed.length];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = allowed[i] ? Float.NEGATIVE_INFINITY : 3;
      }
      rule.apply(logits);
      for (int i = 0; i < logits.length; i++) {
        assertThat(logits[i]).isEqualTo(allowed[i] ? 0 : Float.NEGATIVE_INFINITY);
      }
    }
  }

  /** Texts share what was found out, in several threads too. */
  @Test
  void textsOfOneGrammarDoNotDisturbEachOther() throws Exception {
    TokenGrammar grammar = BYTES.tokens(grammar("root ::= [a-z]{1,40} (\"<\" root \">\")?"));
    String text = "abcdefgh".repeat(4) + "<fox<hen>>";
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Future<?>[] all = new Future<?>[16];
      for (int i = 0; i < all.length; i++) {
        all[i] =
            threads.submit(
                () -> {
                  LogitRule rule = grammar.get();
                  byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                  assertThat(BYTES.taken(rule, bytes)).isEqualTo(bytes.length);
                });
      }
      for (Future<?> f : all) {
        f.get();
      }
    }
  }

  /** More configurations than are kept. */
  @Test
  void whatIsForgottenIsFoundOutAgain() {
    TokenGrammar grammar = BYTES.tokens(grammar("root ::= [a-d]{0,20000} \"e\""));
    LogitRule rule = grammar.get();
    byte[] text = "abcd".repeat(5000).getBytes(StandardCharsets.UTF_8);
    assertThat(BYTES.taken(rule, text)).isEqualTo(text.length);
    assertThat(BYTES.taken(rule, new byte[] {'a'})).isZero();
    assertThat(BYTES.taken(rule, new byte[] {'e'})).isEqualTo(1);
    assertThat(BYTES.taken(grammar.get(), new byte[] {'e', 'e'})).isEqualTo(1);
  }

  /** A text is one of the grammar as it is shown: after the words of a prompt with its space. */
  @Test
  void theSpaceThatJoinsATextToItsPromptIsPartOfTheText() {
    Tokenizer words =
        TokenizerJson.read(
            new ByteArrayInputStream(SPACED_WORDS.getBytes(StandardCharsets.UTF_8)), "words.json");
    int spaced = words.id("▁yes").orElseThrow();
    int plain = words.id("yes").orElseThrow();
    int special = words.id("<s>").orElseThrow();
    int mark = words.id("!").orElseThrow();
    TokenVocabulary vocabulary = new TokenVocabulary(words, words.vocabSize(), List.of(special));
    TokenGrammar yes = new TokenGrammar(grammar("root ::= \"yes\""), vocabulary);
    TriggeredGrammar yesMark =
        new TriggeredGrammar(
            Optional.of(part("root ::= \"yes\"", "root ::= \"yes!\"")),
            part("root ::= \"<\"", "root ::= \"<>\""),
            false,
            vocabulary);

    assertThat(chosen(yes, words, List.of(spaced), spaced, special)).isEqualTo(spaced);
    assertThat(chosen(yes, words, List.of(spaced), special, spaced)).isEqualTo(plain);
    assertThat(chosen(yesMark, words, List.of(spaced, spaced), special)).isEqualTo(mark);
    assertThat(chosen(yesMark, words, List.of(spaced, spaced), spaced)).isEqualTo(spaced);
    assertThat(chosen(yesMark, words, List.of(plain, spaced), spaced)).isEqualTo(mark);
  }

  private static TriggeredGrammar.Part part(String opening, String whole) {
    return new TriggeredGrammar.Part(grammar(opening), grammar(whole));
  }

  /** The last token of a text whose likeliest tokens are these. */
  private static int chosen(
      Supplier<LogitRule> rule, Tokenizer words, List<Integer> likeliest, int... prompt) {
    GenerateOptions options =
        new GenerateOptions(9, SamplingOptions.GREEDY, List.of(), true).with(rule);
    GenerationState state =
        new GenerationState(prompt, options, words, Set.of(), words.vocabSize());
    for (int id : likeliest) {
      float[] logits = new float[words.vocabSize()];
      logits[id] = 1;
      state.next(new Step(logits, OptionalInt.empty(), 1), () -> false);
    }
    return state.generation("", 0, 0).tokens().getLast().id();
  }
}
