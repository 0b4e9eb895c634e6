package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.StreamDecoder;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The tokenizers of real models give the ids of Hugging Face's tokenizers on texts that are hard to
 * get right. Llama 3.1, Qwen 3, Gemma 3, gpt-oss and Mistral are fetched by {@code .ci/tokenizers};
 * SmolLM2 comes from its GGUF file.
 */
class RealTokenizerParityTest {
  private static final int TEXTS = 2500;

  @TempDir Path folder;

  private record Loaded(SubwordTokenizer tokenizer, Path file) {
    List<String> specials() {
      return tokenizer.spec().added().stream().limit(60).map(AddedToken::content).toList();
    }
  }

  private Loaded load(String name) {
    if (name.equals("SmolLM2")) {
      Path gguf = Fixture.shared("models/SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
      SubwordTokenizer tokenizer = ModelFiles.tokenizer(gguf);
      Path file = folder.resolve("tokenizer.json");
      TokenizerJsonWriter.write(tokenizer, file);
      return new Loaded(tokenizer, file);
    }
    Path file =
        name.equals("stories260K")
            ? Fixture.shared("models/stories260K/tokenizer.json")
            : fetched(name);
    return new Loaded(TokenizerJson.read(file), file);
  }

  private static Path fetched(String name) {
    String place = System.getenv("SORTIE_TOKENIZERS");
    Path file = Path.of(place == null ? "../tokenizers" : place).resolve(name + "/tokenizer.json");
    Assumptions.assumeTrue(
        Files.exists(file),
        file + " is not there; run .ci/tokenizers FOLDER and set SORTIE_TOKENIZERS to that folder");
    return file;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"qwen3", "llama3_1", "gptoss", "gemma3", "mistral", "stories260K", "SmolLM2"})
  void nastyTextsHaveTheIdsOfTheReference(String name) {
    Loaded loaded = load(name);
    try (ReferenceTokenizer reference = ReferenceTokenizer.read(loaded.file())) {
      reference.assertSame(
          loaded.tokenizer(), new NastyText(name.hashCode(), loaded.specials()).texts(TEXTS));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"qwen3", "llama3_1", "gptoss", "gemma3", "mistral", "stories260K", "SmolLM2"})
  void typedTextNeverBecomesASpecialTokenAndStreamsInWholeCharacters(String name) {
    Loaded loaded = load(name);
    SubwordTokenizer tokenizer = loaded.tokenizer();
    List<String> texts = new ArrayList<>(new NastyText(11, loaded.specials()).texts(500));
    tokenizer.spec().added().forEach(token -> texts.add(token.content()));
    for (String text : texts) {
      int[] ids = tokenizer.encode(text, EncodeOptions.PLAIN);
      assertThat(Arrays.stream(ids).filter(tokenizer::isSpecial))
          .as(() -> ReferenceTokenizer.escaped(text))
          .isEmpty();
      StreamDecoder stream = tokenizer.stream();
      StringBuilder joined = new StringBuilder();
      for (int id : ids) {
        String part = stream.next(id);
        assertThat(isWellFormed(part)).as("%s of %s", part, text).isTrue();
        joined.append(part);
      }
      assertThat(joined.append(stream.finish())).hasToString(tokenizer.decode(ids));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"qwen3", "llama3_1", "gptoss", "gemma3", "mistral", "stories260K", "SmolLM2"})
  void aMegabyteWithoutASpaceIsNoTrap(String name) {
    SubwordTokenizer tokenizer = load(name).tokenizer();
    int size = 1 << 20;
    StringBuilder letters = new StringBuilder();
    IntStream.range(0, size).forEach(i -> letters.append((char) ('a' + (i ^ i >>> 5) * 31 % 26)));
    for (String text :
        List.of(
            "a".repeat(size),
            letters.toString(),
            "é".repeat(size / 2),
            "漢".repeat(size / 3),
            "!?".repeat(size / 2))) {
      assertTimeout(Duration.ofSeconds(10), () -> tokenizer.encode(text));
    }
  }

  private static boolean isWellFormed(String text) {
    return text.codePoints().noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
  }
}
