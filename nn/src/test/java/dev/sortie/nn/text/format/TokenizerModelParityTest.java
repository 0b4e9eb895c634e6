package dev.sortie.nn.text.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Fixtures;
import dev.sortie.nn.text.SubwordTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tokenizer.model gives the ids that SentencePiece gives. */
@Tag("any-kernels")
class TokenizerModelParityTest {
  @TempDir Path folder;

  private SubwordTokenizer tokenizer(String name) {
    return TokenizerModel.read(copy("sentencepiece/" + name + ".model"));
  }

  private Path copy(String resource) {
    try (InputStream in = Fixtures.class.getResourceAsStream(resource)) {
      Path file = folder.resolve("tokenizer.model");
      Files.write(file, in.readAllBytes());
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"bpe", "bpe_symbols", "bpe_rules", "unigram", "unigram_symbols", "unigram_rules"})
  void encodesAsSentencePiece(String name) {
    SubwordTokenizer tokenizer = tokenizer(name);
    SoftAssertions softly = new SoftAssertions();
    for (JsonValue golden : Fixtures.golden("sentencepiece/" + name)) {
      String text = golden.get("text").string();
      softly
          .assertThat(tokenizer.encode(text, EncodeOptions.PLAIN))
          .as("ids of '%s'", text)
          .containsExactly(Fixtures.ids(golden.get("ids")));
    }
    softly.assertAll();
  }

  @ParameterizedTest
  @ValueSource(strings = {"bpe", "unigram", "bpe_symbols"})
  void textComesBack(String name) {
    SubwordTokenizer tokenizer = tokenizer(name);
    for (JsonValue golden : Fixtures.golden("sentencepiece/" + name)) {
      String text = golden.get("text").string().replace("\u2581", " ");
      int[] ids = tokenizer.encode(text);
      boolean spelled = Arrays.stream(ids).noneMatch(id -> id == 0);
      assertThat(spelled).isTrue();
      assertThat(tokenizer.decode(ids)).isEqualTo(text);
    }
  }

  /** The bytes of tokens are those of the text, also where a token is an added one. */
  @Test
  void bytesOfSymbolsAreDecodedToo() {
    SubwordTokenizer tokenizer = tokenizer("bpe_symbols");
    Path json = folder.resolve("tokenizer.json");
    TokenizerJsonWriter.write(tokenizer, json);
    for (SubwordTokenizer one : List.of(tokenizer, TokenizerJson.read(json))) {
      int spaces = one.id("\u2581\u2581").orElseThrow();
      assertThat(one.bytes(spaces)).isEqualTo("  ".getBytes(StandardCharsets.UTF_8));
      assertThat(one.decode(new int[] {spaces, spaces})).isEqualTo("    ");
    }
  }

  /** Byte tokens of Unigram: a score for each would have text spelled with them. */
  @Test
  void whatTokenizerJsonCannotSayIsRefused() {
    SubwordTokenizer tokenizer = tokenizer("unigram");
    Path json = folder.resolve("tokenizer.json");
    assertThatThrownBy(() -> TokenizerJsonWriter.write(tokenizer, json))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("tokenizer.model", "<0x00>", "tokenizer.json cannot say that");
    assertThat(json).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"bpe", "bpe_symbols"})
  void itCanBeWrittenAsTokenizerJson(String name) {
    SubwordTokenizer tokenizer = tokenizer(name);
    Path json = folder.resolve("tokenizer.json");
    TokenizerJsonWriter.write(tokenizer, json);
    SubwordTokenizer back = TokenizerJson.read(json);
    for (JsonValue golden : Fixtures.golden("sentencepiece/" + name)) {
      String text = golden.get("text").string();
      int[] ids = tokenizer.encode(text);
      assertThat(back.decode(ids)).isEqualTo(tokenizer.decode(ids));
    }
    assertThat(back.encode("wand sithe")).containsExactly(tokenizer.encode("wand sithe"));
  }

  @Test
  void bosAndAddedTokensComeFromTheSettingsNextToIt() throws IOException {
    SubwordTokenizer tokenizer = tokenizer("bpe");
    assertThat(tokenizer.encode("", EncodeOptions.DEFAULT)).containsExactly(1);
    assertThat(tokenizer.bosId()).hasValue(1);
    assertThat(tokenizer.eosId()).hasValue(2);
    int size = tokenizer.vocabSize();
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"add_bos_token":false,"add_eos_token":true,"eos_token":"</s>","added_tokens_decoder":{
         "2":{"content":"</s>","special":true,"normalized":false},
         "%d":{"content":"<turn>","special":true,"normalized":false}}}
        """
            .formatted(size));
    tokenizer = tokenizer("bpe");
    assertThat(tokenizer.encode("", EncodeOptions.DEFAULT)).containsExactly(2);
    assertThat(tokenizer.encode("<turn></s>", new EncodeOptions(false, true)))
        .containsExactly(size, 2);
    assertThat(tokenizer.encode("<turn></s>", EncodeOptions.PLAIN)).doesNotContain(size, 2);
  }

  @Test
  void stories260KHasTheSameIdsFromBothOfItsFiles() throws IOException {
    Optional<Path> shared = Fixtures.shared();
    assumeTrue(shared.isPresent(), "the shared folder is absent; set SORTIE_SHARED");
    Path models = shared.get().resolve("models/stories260K");
    SubwordTokenizer json = TokenizerJson.read(models.resolve("tokenizer.json"));
    SubwordTokenizer model = TokenizerModel.read(models.resolve("tokenizer.model"));
    for (String line : Files.readAllLines(models.resolve("stories.txt"))) {
      assertThat(model.encode(line)).containsExactly(json.encode(line));
      assertThat(model.decode(json.encode(line))).isEqualTo(line);
    }
  }
}
