package dev.sortie.nn.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.format.TokenizerJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same ids and the same text as Hugging Face's tokenizers. */
@Tag("any-kernels")
class TokenizerParityTest {

  @ParameterizedTest
  @MethodSource("dev.sortie.nn.text.Fixtures#all")
  void encodesAndDecodesAsTheReference(String name) {
    SubwordTokenizer tokenizer = Fixtures.tokenizer(name);
    List<JsonValue> cases = Fixtures.golden(name);
    assertThat(cases).hasSizeGreaterThanOrEqualTo(40);
    SoftAssertions softly = new SoftAssertions();
    for (JsonValue golden : cases) {
      String text = golden.get("text").string();
      int[] parsed = Fixtures.ids(golden.get("parsed"));
      softly
          .assertThat(tokenizer.encode(text, EncodeOptions.PLAIN))
          .as("ids of %s", text)
          .containsExactly(Fixtures.ids(golden.get("ids")));
      softly
          .assertThat(tokenizer.encode(text, new EncodeOptions(false, true)))
          .as("parsed ids of %s", text)
          .containsExactly(parsed);
      softly
          .assertThat(tokenizer.encode(text, new EncodeOptions(true, true)))
          .as("ids with added ones of %s", text)
          .containsExactly(Fixtures.ids(golden.get("added")));
      softly
          .assertThat(tokenizer.decode(parsed))
          .as("decoded %s", text)
          .isEqualTo(golden.get("decoded").string());
      softly
          .assertThat(tokenizer.decode(parsed, true))
          .as("decoded with special tokens %s", text)
          .isEqualTo(golden.get("kept").string());
    }
    softly.assertAll();
  }

  @Test
  void stories260KHasTheGoldenPromptIds() {
    Optional<Path> shared = Fixtures.shared();
    assumeTrue(shared.isPresent(), "the shared folder is absent; set SORTIE_SHARED");
    Path folder = shared.get().resolve("models/stories260K");
    SubwordTokenizer tokenizer = TokenizerJson.read(folder.resolve("tokenizer.json"));
    Path golden = folder.resolve("golden.json");
    JsonValue cases = JsonValue.read(golden, JsonLimits.TOKENIZER).get("cases");
    assertThat(cases.items()).isNotEmpty();
    for (JsonValue item : cases.items()) {
      int[] ids = tokenizer.encode(item.get("prompt").string());
      assertThat(ids).containsExactly(Fixtures.ids(item.get("ids")));
      assertThat(tokenizer.decode(ids)).isEqualTo(item.get("prompt").string());
    }
    assertThat(tokenizer.bosId()).hasValue(1);
    assertThat(tokenizer.eosId()).hasValue(2);
    assertThat(tokenizer.vocabSize()).isEqualTo(512);
  }
}
