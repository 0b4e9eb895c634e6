package dev.sortie.nn.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.nn.text.model.MergeTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Training gives the vocabulary and merges that Hugging Face's trainer gives. */
@Tag("any-kernels")
class BpeTrainerParityTest {
  private static final List<String> SPECIALS =
      List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"smollm,true", "gpt2,false"})
  void learnsTheVocabularyOfTheReference(String name, boolean individualDigits) {
    TokenizerSpec reference = Fixtures.tokenizer(name).spec();
    SubwordTokenizer trained =
        new BpeTrainer(new BpeTrainer.Options(400, SPECIALS, individualDigits, 2))
            .add(Fixtures.text("training.txt"))
            .train();
    assertThat(trained.spec().vocabulary().tokens()).isEqualTo(reference.vocabulary().tokens());
    assertThat(merges(trained.spec())).isEqualTo(merges(reference));
    assertThat(trained.vocabSize()).isEqualTo(400);
    assertThat(trained.id("<|im_end|>")).hasValue(2);
  }

  @Test
  void writtenTokenizerEncodesTheSame() {
    String text = Fixtures.text("training.txt");
    SubwordTokenizer trained =
        new BpeTrainer(new BpeTrainer.Options(500, SPECIALS, true, 2)).add(text).train();
    Path file = folder.resolve("tokenizer.json");
    TokenizerJsonWriter.write(trained, file);
    int[] ids = trained.encode(text);
    assertThat(ids.length).isLessThan(text.length() / 2);
    assertThat(TokenizerJson.read(file).encode(text)).containsExactly(ids);
    assertThat(trained.decode(ids)).isEqualTo(text);
  }

  @Test
  void stopsWhereNoPairIsFrequentEnough() {
    SubwordTokenizer trained =
        new BpeTrainer(new BpeTrainer.Options(1000, List.of(), false, 2)).add("abab xyz").train();
    assertThat(trained.vocabSize()).isEqualTo(257);
    assertThat(trained.token(256)).hasValue("ab");
    assertThat(new BpeTrainer(new BpeTrainer.Options(300, List.of(), false, 2)).train().vocabSize())
        .isEqualTo(256);
  }

  @Test
  void impossibleSizesAreRefused() {
    assertThatThrownBy(() -> new BpeTrainer.Options(258, SPECIALS, true, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("258")
        .hasMessageContaining("259");
  }

  private static List<String> merges(TokenizerSpec spec) {
    MergeTable table = Fixtures.merges(spec);
    List<String> merges = new ArrayList<>();
    for (int rank = 0; rank < table.size(); rank++) {
      merges.add(
          spec.vocabulary().token(table.left(rank))
              + " "
              + spec.vocabulary().token(table.right(rank)));
    }
    return merges;
  }
}
