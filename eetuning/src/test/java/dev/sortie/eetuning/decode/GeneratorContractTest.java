package dev.sortie.eetuning.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.format.TokenizerJson;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GeneratorContractTest {
  private static final String END = "<|endoftext|>";

  /** One token a byte, and one that ends a text. */
  private static final Tokenizer TOKENIZER =
      new BpeTrainer(new BpeTrainer.Options(257, List.of(END), false, 2)).train();

  private static final int VOCAB = TOKENIZER.vocabSize();
  private static final int EOS = TOKENIZER.id(END).orElseThrow();
  private static final int[] PROMPT = ids("ab");

  private static int[] ids(String text) {
    return TOKENIZER.encode(text, EncodeOptions.PLAIN);
  }

  private static int[] then(int[] ids, int... more) {
    return IntStream.concat(Arrays.stream(ids), Arrays.stream(more)).toArray();
  }

  /** Predicts a given text, whatever it reads; every second token at an exit. */
  private static final class Script implements DecodingStrategy {
    private final int[] script;
    private final List<Integer> read = new ArrayList<>();
    private int position;
    private int steps;

    Script(int... script) {
      this.script = script;
    }

    @Override
    public Step prefill(int[] prompt) {
      position = prompt.length;
      return step();
    }

    @Override
    public Step next(int token) {
      read.add(token);
      position++;
      return step();
    }

    private Step step() {
      float[] logits = new float[VOCAB];
      logits[script[steps]] = 1;
      boolean exit = steps % 2 == 1;
      steps++;
      return new Step(logits, exit ? OptionalInt.of(2) : OptionalInt.empty(), 0.5 + 0.01 * steps);
    }

    @Override
    public void rewind(int count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int position() {
      return position;
    }

    @Override
    public void close() {}
  }

  private static GenerateOptions options(int maxTokens, String... stop) {
    return new GenerateOptions(maxTokens, SamplingOptions.GREEDY, List.of(stop), false);
  }

  private static Generation run(Script script, GenerateOptions options) {
    List<GeneratedToken> heard = new ArrayList<>();
    Generation g =
        new Generator(script, TOKENIZER, List.of(EOS), VOCAB).run(PROMPT, options, heard::add);
    assertThat(heard).isEqualTo(g.tokens());
    assertThat(joined(g)).isEqualTo(g.text());
    return g;
  }

  private static String joined(Generation g) {
    return g.tokens().stream().map(GeneratedToken::text).collect(Collectors.joining());
  }

  private static int[] generated(Generation g) {
    return g.tokens().stream().mapToInt(GeneratedToken::id).toArray();
  }

  /** Words carry the space before them, which decoding drops where a text begins. */
  @Test
  void aTextContinuesThatOfItsPrompt() {
    String json =
        """
        {"version": "1.0", "added_tokens": [{"id": 0, "content": "<s>", "special": true}],
         "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
         "model": {"type": "BPE", "vocab": {"<s>": 0, "▁a": 1, "▁hen": 2, "s": 3}, "merges": []}}
        """;
    Tokenizer words =
        TokenizerJson.read(
            new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), "words.json");
    assertThat(words.decode(new int[] {1, 2, 3})).isEqualTo("a hens");
    assertThat(behind(words, 0, 1)).isEqualTo(" hens");
    assertThat(behind(words, 1, 2)).isEqualTo(" hens");
    assertThat(behind(words, 1, 0)).as("after a special token").isEqualTo("hens");
    assertThat(behind(words, 0)).isEqualTo("hens");
  }

  private static String behind(Tokenizer words, int... prompt) {
    GenerateOptions options = new GenerateOptions(2, SamplingOptions.GREEDY, List.of(), true);
    GenerationState state = new GenerationState(prompt, options, words, Set.of(), 4);
    for (int id : new int[] {2, 3}) {
      state.take(id, OptionalInt.empty(), 1, Optional.empty(), () -> false);
    }
    return state.generation("length", 0, 0).text();
  }

  @Test
  void endsAfterMaxTokensAndReadsNoTokenInVain() {
    Script script = new Script(ids("hello world"));
    Generation g = run(script, options(5));
    assertThat(g.text()).isEqualTo("hello");
    assertThat(g.finish()).isEqualTo("length");
    assertThat(g.promptIds()).isEqualTo(PROMPT);
    assertThat(script.read).hasSize(4);
    assertThat(run(new Script(ids("h")), options(1)).text()).isEqualTo("h");
  }

  @Test
  void exitAndConfidenceOfEachTokenAreThoseOfItsStep() {
    List<GeneratedToken> tokens = run(new Script(ids("xyz")), options(3)).tokens();
    assertThat(tokens.stream().map(GeneratedToken::exit))
        .containsExactly(OptionalInt.empty(), OptionalInt.of(2), OptionalInt.empty());
    assertThat(tokens.stream().map(GeneratedToken::confidence)).containsExactly(0.51, 0.52, 0.53);
  }

  @Test
  void anEndOfTextTokenEndsTheTextAndHasNone() {
    Script script = new Script(then(ids("hi"), EOS));
    Generation g = run(script, options(9));
    assertThat(g.text()).isEqualTo("hi");
    assertThat(g.finish()).isEqualTo("stop");
    assertThat(generated(g)).isEqualTo(then(ids("hi"), EOS));
    assertThat(script.read).hasSize(2);
  }

  @Test
  void ignoreEosContinues() {
    int[] script = then(then(ids("hi"), EOS), ids("ho"));
    Generation g =
        run(new Script(script), new GenerateOptions(5, SamplingOptions.GREEDY, List.of(), true));
    assertThat(g.text()).isEqualTo("hiho");
    assertThat(g.finish()).isEqualTo("length");
    assertThat(generated(g)).isEqualTo(script);
  }

  @Test
  void aStopTextAcrossTokensEndsTheTextBeforeIt() {
    Script script = new Script(ids("one STOP two"));
    Generation g = run(script, options(12, "STOP", "never"));
    assertThat(g.text()).isEqualTo("one ");
    assertThat(g.finish()).isEqualTo("stop");
    assertThat(generated(g)).isEqualTo(ids("one STOP"));
  }

  @Test
  void whatIsHeldBackForAStopTextIsGivenAtTheEnd() {
    assertThat(run(new Script(ids("one STO")), options(7, "STOP")).text()).isEqualTo("one STO");
    Generation ended = run(new Script(then(ids("one ST"), EOS)), options(9, "STOP"));
    assertThat(ended.text()).isEqualTo("one ST");
    assertThat(ended.tokens().getLast().text()).isEqualTo("ST");
  }

  @Test
  void halfCharactersAreHeldUntilTheyAreWhole() {
    Generation g = run(new Script(ids("é€😀")), options(9));
    assertThat(g.tokens().stream().map(GeneratedToken::text))
        .containsExactly("", "é", "", "", "€", "", "", "", "😀");
  }

  @Test
  void aCharacterCutOffAtTheEndIsAReplacementCharacterAsInDecoding() {
    int[] cut = Arrays.copyOf(ids("a€"), 3);
    assertThat(run(new Script(cut), options(3)).text()).isEqualTo(TOKENIZER.decode(cut));
    assertThat(run(new Script(then(cut, EOS)), options(9)).text()).isEqualTo("a\ufffd");
  }

  @Test
  void aStopTextMayBeOfManyBytes() {
    Generation g = run(new Script(ids("ja€ nein")), options(11, "€ n"));
    assertThat(g.text()).isEqualTo("ja");
    assertThat(g.finish()).isEqualTo("stop");
  }

  @Test
  void theRepetitionPenaltyKnowsPromptAndOutput() {
    int a = PROMPT[0];
    DecodingStrategy same =
        new DecodingStrategy() {
          @Override
          public Step prefill(int[] prompt) {
            return next(0);
          }

          @Override
          public Step next(int token) {
            float[] logits = new float[VOCAB];
            logits[a] = 2;
            logits[EOS + 50] = 1.9f;
            logits[EOS + 60] = 1.8f;
            return new Step(logits, OptionalInt.empty(), 1);
          }

          @Override
          public int position() {
            return 0;
          }

          @Override
          public void rewind(int count) {
            throw new UnsupportedOperationException();
          }

          @Override
          public void close() {}
        };
    GenerateOptions options =
        new GenerateOptions(2, new SamplingOptions(0, 0, 1, 0, 1.5, 0), List.of(), false);
    Generation g =
        new Generator(same, TOKENIZER, List.of(EOS), VOCAB).run(PROMPT, options, t -> {});
    assertThat(generated(g)).containsExactly(EOS + 50, EOS + 60);
  }

  @Test
  void whoCancelsKeepsWhatWasSaidUntilThen() {
    int[] asked = {0};
    Script script = new Script(ids("abcdef"));
    Generation g =
        new Generator(script, TOKENIZER, List.of(EOS), VOCAB)
            .run(PROMPT, options(6), t -> {}, () -> ++asked[0] == 3);
    assertThat(g.text()).isEqualTo("abc");
    assertThat(g.finish()).isEqualTo("cancelled");
    assertThat(asked[0]).isEqualTo(3);
    Generation held =
        new Generator(new Script(ids("abcdef")), TOKENIZER, List.of(EOS), VOCAB)
            .run(PROMPT, options(6, "bcx"), t -> {}, () -> ++asked[0] == 6);
    assertThat(held.text()).as("what a stop text held back is shown").isEqualTo("abc");
  }

  @Test
  void anEmptyPromptIsRefused() {
    Generator generator = new Generator(new Script(ids("x")), TOKENIZER, List.of(EOS), VOCAB);
    assertThatThrownBy(() -> generator.run(new int[0], options(1), t -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("prompt is empty");
  }

  @Test
  void optionsOutOfRangeAreRefusedByName() {
    assertThatThrownBy(() -> options(0))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--max-tokens 0");
    assertThatThrownBy(() -> options(1, "x", ""))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--stop");
  }
}
