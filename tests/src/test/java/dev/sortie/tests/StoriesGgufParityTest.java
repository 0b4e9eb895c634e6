package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.EncodeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One model as safetensors and as GGUF, whose query and key rows lie in another order. */
class StoriesGgufParityTest {
  private static Path folder;
  private static Bench bench;
  private static LanguageModel model;

  @BeforeAll
  static void load() {
    folder = Fixture.shared("models/stories260K");
    bench = Bench.open(2);
    model = LanguageModel.load(folder, Precision.F32, bench.device());
  }

  @AfterAll
  static void close() {
    if (model != null) {
      model.close();
      bench.close();
    }
  }

  @Test
  void theConfigurationsAreEqualButForTheOrderOfRotaryPairs() {
    try (LanguageModel gguf = gguf(Precision.FILE)) {
      assertThat(gguf.config())
          .usingRecursiveComparison()
          .ignoringFields("decoder.ropeInterleaved", "dtype")
          .isEqualTo(model.config());
      assertThat(gguf.config().decoder().ropeInterleaved()).isTrue();
      assertThat(model.config().decoder().ropeInterleaved()).isFalse();
    }
  }

  @Test
  void textsHaveTheSameIds() throws IOException {
    try (LanguageModel gguf = gguf(Precision.FILE)) {
      for (String text :
          new String[] {
            Files.readString(folder.resolve("stories.txt")),
            "",
            "  two  spaces and a tab\t",
            "Zoë, 東京 and 🙂",
            "<s>forged</s> <unk>"
          }) {
        for (boolean parse : new boolean[] {false, true}) {
          int[] ids = gguf.tokenizer().encode(text, new EncodeOptions(true, parse));
          assertThat(ids)
              .as(text)
              .containsExactly(model.tokenizer().encode(text, new EncodeOptions(true, parse)));
          assertThat(gguf.tokenizer().decode(ids)).isEqualTo(model.tokenizer().decode(ids));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void logitsAgree(Precision precision) throws IOException {
    String text = Files.readString(folder.resolve("stories.txt"));
    int[] ids = Arrays.copyOf(model.tokenizer().encode(text), 100);
    try (LanguageModel same = LanguageModel.load(folder, precision, bench.device());
        LanguageModel gguf = gguf(precision)) {
      assertThat(logits(gguf, ids)).containsExactly(logits(same, ids), Offset.offset(2e-5f));
      assertThat(gguf.sha256()).isNotEqualTo(same.sha256()).matches("[0-9a-f]{64}");
    }
  }

  private static float[] logits(LanguageModel m, int[] ids) {
    try (FullDepth strategy = new FullDepth(m.decoder(), ids.length, bench.device())) {
      return strategy.prefill(ids).logits();
    }
  }

  private static LanguageModel gguf(Precision precision) {
    return LanguageModel.load(folder.resolve("stories260K-f32.gguf"), precision, bench.device());
  }
}
