package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In passes of many rows, too, a sequence has the same bits in any company. */
class ManyRowsContractTest {
  private static final int TOKENS = 12;
  private static final int VOCAB = 290;

  @TempDir private Path folder;

  /** What follows each token of a text that is read with others. */
  private static List<float[]> logits(
      LanguageModel model, Device device, int[] text, int others, long seed) {
    Random random = new Random(seed);
    try (BatchDecoder decoder = BatchDecoder.ofManyRows(model.decoder(), device)) {
      List<BatchSequence> sequences = new ArrayList<>();
      for (int i = 0; i <= others; i++) {
        sequences.add(decoder.open(2 * TOKENS));
      }
      int mine = random.nextInt(others + 1);
      for (int i = 0; i <= others; i++) {
        if (i != mine && random.nextBoolean()) {
          decoder.prefill(sequences.get(i), random.ints(5, 0, VOCAB).toArray());
        }
      }
      List<float[]> logits = new ArrayList<>();
      for (int token : text) {
        int[] tokens = random.ints(others + 1, 0, VOCAB).toArray();
        tokens[mine] = token;
        List<Step> steps = decoder.next(sequences, tokens);
        assertThat(steps).hasSize(others + 1);
        logits.add(steps.get(mine).logits().clone());
      }
      sequences.forEach(BatchSequence::close);
      return logits;
    }
  }

  @Test
  void aTextHasTheSameBitsAloneAndInAnyCompany() {
    try (Device device = Device.cpu(2);
        LanguageModel model =
            LanguageModel.load(
                TinyModel.write(folder.resolve("model"), 3, 16, VOCAB, 4 * TOKENS, 1),
                Precision.F32,
                device)) {
      int[] text = new Random(7).ints(TOKENS, 0, VOCAB).toArray();
      List<float[]> alone = logits(model, device, text, 0, 1);
      assertThat(alone).allSatisfy(l -> assertThat(l).hasSize(VOCAB));
      assertThat(Arrays.equals(alone.get(0), alone.get(1))).isFalse();
      for (int others :
          new int[] {1, 15, 16, 40, BatchDecoder.MANY_ROWS - 1, BatchDecoder.MANY_ROWS + 6, 300}) {
        List<float[]> found = logits(model, device, text, others, others);
        IntStream.range(0, TOKENS)
            .forEach(
                i ->
                    assertThat(found.get(i))
                        .as("token %d with %d others", i, others)
                        .isEqualTo(alone.get(i)));
      }
    }
  }
}
