package dev.sortie.eetuning.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.Precision;
import dev.sortie.tensor.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever shares a pass, each sequence has the bits that it has alone. */
class BatchDecoderContractTest {
  private static final int CONTEXT = TinyModel.CONTEXT;

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;

  @BeforeAll
  static void load() {
    device = Device.cpu(2);
    model = LanguageModel.load(TinyModel.write(folder.resolve("model"), 1), Precision.F32, device);
  }

  @AfterAll
  static void close() {
    model.close();
    device.close();
  }

  /** A sequence in company, the same one alone, and the token to read next. */
  private static final class Pair implements AutoCloseable {
    private final FullDepth batched = new FullDepth(model.decoder(), CONTEXT, device);
    private final FullDepth alone = new FullDepth(model.decoder(), CONTEXT, device);
    private final int end;
    private int token;

    Pair(int[] prompt, int end) {
      this.end = end;
      batched.prefill(prompt);
      token = Sampler.argmax(alone.prefill(prompt).logits());
    }

    void check(Step step) {
      Step expected = alone.next(token);
      assertThat(step.logits()).isEqualTo(expected.logits());
      assertThat(step.confidence()).isEqualTo(expected.confidence());
      assertThat(step.exit()).isEmpty();
      assertThat(batched.position()).isEqualTo(alone.position());
      token = Sampler.argmax(step.logits());
    }

    @Override
    public void close() {
      batched.close();
      alone.close();
    }
  }

  /** Up to twenty at once, which is more than a pass has rows; they come and go at random. */
  @Test
  void sequencesThatJoinAndLeaveHaveTheBitsOfDecodingAlone() {
    Random random = new Random(6);
    List<Pair> active = new ArrayList<>();
    int most = 0;
    try (BatchDecoder decoder = new BatchDecoder(model.decoder(), device)) {
      for (int round = 0; round < 120; round++) {
        while (active.size() < 20 && random.nextInt(3) > 0) {
          int[] prompt = random.ints(random.nextInt(1, 12), 0, 250).toArray();
          active.add(new Pair(prompt, random.nextInt(prompt.length + 1, CONTEXT + 1)));
        }
        // some stay out of a round, and one is decoded alone
        List<Pair> now = active.stream().filter(p -> random.nextInt(8) > 0).toList();
        most = Math.max(most, now.size());
        List<Step> steps =
            decoder.next(
                now.stream().map(p -> p.batched).toList(),
                now.stream().mapToInt(p -> p.token).toArray());
        for (int i = 0; i < now.size(); i++) {
          now.get(i).check(steps.get(i));
        }
        active.removeIf(
            p -> {
              boolean ended = p.batched.position() >= p.end;
              if (ended) {
                p.close();
              }
              return ended;
            });
        if (!active.isEmpty()) {
          Pair one = active.get(random.nextInt(active.size()));
          one.check(one.batched.next(one.token));
          if (one.batched.position() >= one.end) {
            one.close();
            active.remove(one);
          }
        }
      }
    } finally {
      active.forEach(Pair::close);
    }
    assertThat(most).as("rows at once").isGreaterThan(16);
  }

  @Test
  void aRefusalChangesNoSequence() {
    try (BatchDecoder decoder = new BatchDecoder(model.decoder(), device);
        FullDepth full = new FullDepth(model.decoder(), 3, device);
        FullDepth room = new FullDepth(model.decoder(), 9, device)) {
      full.prefill(new int[] {1, 2, 3});
      room.prefill(new int[] {1, 2, 3});
      assertThatThrownBy(() -> decoder.next(List.of(room, full), new int[] {4, 4}))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("room for 3");
      assertThatThrownBy(() -> decoder.next(List.of(room, room), new int[] {4, 4}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("twice");
      assertThatThrownBy(() -> decoder.next(List.of(room), new int[] {4, 4}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("1 sequences and 2 tokens");
      assertThat(room.position()).isEqualTo(3);
      assertThat(decoder.next(List.of(), new int[0])).isEmpty();
    }
  }
}
