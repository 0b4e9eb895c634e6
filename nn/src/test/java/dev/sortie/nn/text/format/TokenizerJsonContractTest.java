package dev.sortie.nn.text.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Fixtures;
import dev.sortie.nn.text.SubwordTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A damaged or unsupported file is refused with one line that names file, field and value. */
@Tag("any-kernels")
class TokenizerJsonContractTest {
  @TempDir Path folder;

  private static void refused(String json, String... parts) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> TokenizerJson.read(new ByteArrayInputStream(bytes), "it.json"))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(parts)
        .hasMessageStartingWith("it.json: ")
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "\"type\":\"BPE\" ~ \"type\":\"WordPiece\" ~ model.type ~ WordPiece",
        "\"dropout\":null ~ \"dropout\":0.1 ~ model.dropout ~ 0.1",
        "\"version\":\"1.0\" ~ \"version\":\"2.0\" ~ version ~ 2.0",
        "\"version\":\"1.0\" ~ \"version\":\"1.0\",\"secret\":1 ~ secret ~ unknown",
        "\"end_of_word_suffix\":null ~ \"end_of_word_suffix\":\"/w\" ~ model.end_of_word_suffix ~ /w",
        "\\\\p{N}{1,3} ~ \\\\p{N}{1,4} ~ pretokenizers[0].pattern.Regex ~ {1,4}",
        "\"Isolated\" ~ \"MergedWithNext\" ~ behavior ~ Isolated",
        "\"Isolated\" ~ \"Joined\" ~ behavior ~ Joined",
        "\"type\":\"BPE\" ~ \"type\":\"Unigram\" ~ model.vocab ~ Unigram",
        "\"normalizer\":null ~ \"normalizer\":{\"type\":\"BertLike\"} ~ normalizer.type ~ Bert",
        "\"id\":2, ~ \"id\":7, ~ added_tokens ~ id 7",
        "\"id\":1, ~ \"id\":0, ~ added_tokens ~ id 0",
        "\"!\":3 ~ \"!\":4 ~ model.vocab ~ id 4",
        "\"!\":3 ~ \"!\":4000000 ~ model.vocab ~ dense",
        "\"!\":3 ~ \"!\":-3 ~ model.vocab ~ -3",
        "\"!\":3 ~ \"!\":3,\"!\":3 ~ Duplicate ~ !",
        "\"merges\":[ ~ \"merges\":[\"a zzz\", ~ model.merges[0] ~ zzz",
        "\"merges\":[ ~ \"merges\":[\"a b c\", ~ model.merges[0] ~ a b c",
        "\"merges\":[ ~ \"merges\":[[\"\u0120\",\"b\"], ~ model.merges ~ [1]",
        "\"unk_token\":null ~ \"unk_token\":\"<unk>\" ~ model.unk_token ~ <unk>",
        "\"SpecialToken\" ~ \"Special\" ~ post_processor ~ Special",
      })
  void aChangeIsRefusedByName(String from, String to, String field, String value) {
    String json = Fixtures.text("llama3.json");
    assertThat(json).contains(from);
    refused(json.replace(from, to), field, value);
  }

  @Test
  void brokenJsonIsRefused() {
    String json = Fixtures.text("llama3.json");
    refused(json.substring(0, json.indexOf("\"merges\"") + 15), "line 1");
    refused("", "not a JSON object");
    refused("[]", "not a JSON object");
    refused("{\"version\":\"1.0\"}", "model is absent");
    refused(json + "{}", "after the end");
    refused("{\"a\":" + "[".repeat(100_000), "depth");
    refused("{\"version\":\"" + "x".repeat(3_000_000) + "\"}", "length");
  }

  @Test
  void missingFilesAreNamed() {
    Path missing = folder.resolve("tokenizer.json");
    assertThatThrownBy(() -> TokenizerJson.read(missing))
        .isInstanceOf(InputException.class)
        .hasMessage(missing + ": no such file; check the path");
  }

  @ParameterizedTest
  @MethodSource("dev.sortie.nn.text.Fixtures#all")
  void whatIsWrittenReadsBackTheSame(String name) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
    Path file = folder.resolve("tokenizer.json");
    TokenizerJsonWriter.write(tokenizer, file);
    SubwordTokenizer back = TokenizerJson.read(file);
    for (JsonValue golden : Fixtures.golden(name)) {
      String text = golden.get("text").string();
      for (EncodeOptions options :
          new EncodeOptions[] {EncodeOptions.DEFAULT, new EncodeOptions(true, true)}) {
        int[] ids = tokenizer.encode(text, options);
        assertThat(back.encode(text, options)).containsExactly(ids);
        assertThat(back.decode(ids)).isEqualTo(tokenizer.decode(ids));
      }
    }
    assertThat(back.bosId()).isEqualTo(tokenizer.bosId());
    assertThat(back.eosId()).isEqualTo(tokenizer.eosId());
    assertThat(folder).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void neighbouringFilesNameBosAndEos() throws IOException {
    Path file = folder.resolve("tokenizer.json");
    Files.writeString(file, Fixtures.text("smollm.json"));
    assertThat(TokenizerJson.read(file).eosId()).isEmpty();
    Files.writeString(
        folder.resolve("config.json"), "{\"bos_token_id\":1,\"eos_token_id\":[2,0],\"x\":[1.5]}");
    assertThat(TokenizerJson.read(file).bosId()).hasValue(1);
    assertThat(TokenizerJson.read(file).eosId()).hasValue(2);
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"bos_token\":null,\"eos_token\":{\"content\":\"<|endoftext|>\"}}");
    assertThat(TokenizerJson.read(file).bosId()).hasValue(1);
    assertThat(TokenizerJson.read(file).eosId()).hasValue(0);
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\":\"<none>\"}");
    assertThatThrownBy(() -> TokenizerJson.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("tokenizer_config.json", "eos_token", "<none>");
  }
}
