package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The step that both trainers do: a small decoder (C 256, 8 heads, F 688, V 4096, 8 layers that
 * run), 8 sequences of 256 random tokens, AdamW with decay on matrices and without clipping. Both
 * begin with the same weights and see the same tokens, so that their losses must agree.
 *
 * @param layers layers of the model
 */
record TrainingPlan(int layers) {
  static final int BATCH = 8;
  static final int TOKENS = 256;
  static final double RATE = 3e-4;

  private static final int BATCHES = 4;
  private static final double DECAY = 0.1;

  /** So high that no gradient meets it. */
  private static final double NO_CLIPPING = 1e9;

  DecoderConfig config() {
    return new DecoderConfig(
        layers, 256, 8, 8, 32, 688, 4096, TOKENS, 1e-5, 10000, false, false, false, false);
  }

  Schedule schedule() {
    return new Schedule(RATE, RATE, 0, 1 << 20, Schedule.Decay.CONSTANT);
  }

  AdamW.Options adamW() {
    return new AdamW.Options(0.9, 0.999, 1e-8, DECAY, NO_CLIPPING);
  }

  /** Tokens of one step. */
  int tokensPerStep() {
    return BATCH * TOKENS;
  }

  /** Windows of random tokens, in the order in which both sides take them. */
  int[][] windows() {
    Random random = new Random(1, 0);
    int[][] rows = new int[BATCHES * BATCH][TOKENS + 1];
    long at = 0;
    for (int[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        row[i] = random.below(at++, config().vocab());
      }
    }
    return rows;
  }

  /** The same windows again and again, unshuffled. */
  record InOrder(int[][] rows) implements TokenSource {
    @Override
    public int[] window(long index) {
      return rows[(int) number(index)];
    }

    @Override
    public long distinctWindows() {
      return rows.length;
    }

    @Override
    public long number(long index) {
      return index % rows.length;
    }

    @Override
    public long[] counts(int vocab) {
      long[] counts = new long[vocab];
      for (int[] row : rows) {
        for (int t = 1; t < row.length; t++) {
          counts[row[t]]++;
        }
      }
      return counts;
    }

    @Override
    public int validationCount() {
      return 0;
    }

    @Override
    public int[] validation(int i) {
      throw new IndexOutOfBoundsException("no window is held out, " + i + " was asked for");
    }

    @Override
    public int length() {
      return rows[0].length - 1;
    }

    @Override
    public String fingerprint() {
      return String.valueOf(Arrays.deepHashCode(rows));
    }
  }

  TokenSource source() {
    return new InOrder(windows());
  }

  /**
   * Writes what the peer's script reads.
   *
   * @param depths of the exits; empty for training from scratch
   * @param exits their tensors by the names that the script gives them
   */
  void write(
      Path folder,
      SequencedMap<String, Tensor> weights,
      List<Integer> depths,
      SequencedMap<String, Tensor> exits) {
    DecoderConfig c = config();
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("layers", c.layers());
    m.put("hidden", c.hidden());
    m.put("heads", c.heads());
    m.put("ffn", c.ffn());
    m.put("vocab", c.vocab());
    m.put("eps", c.normEps());
    m.put("theta", c.ropeTheta());
    m.put("batch", BATCH);
    m.put("tokens", TOKENS);
    m.put("rate", RATE);
    m.put("decay", DECAY);
    m.put("tensors", shapes(weights));
    if (!depths.isEmpty()) {
      m.put("depths", depths);
      m.put("exits", shapes(exits));
      elements(folder.resolve("exits.f32"), exits);
    }
    dev.sortie.nn.json.Json.write(folder.resolve("model.json"), m);
    elements(folder.resolve("weights.f32"), weights);
    tokens(folder.resolve("tokens.i32"));
  }

  private static List<Object> shapes(SequencedMap<String, Tensor> tensors) {
    List<Object> out = new ArrayList<>();
    tensors.forEach(
        (name, t) -> out.add(List.of(name, Arrays.stream(t.shape().dims()).boxed().toList())));
    return out;
  }

  private static void elements(Path file, SequencedMap<String, Tensor> tensors) {
    try (OutputStream out = Files.newOutputStream(file)) {
      for (Tensor t : tensors.values()) {
        byte[] bytes = new byte[Math.toIntExact(t.span().segment().byteSize())];
        t.span().segment().asByteBuffer().get(bytes);
        out.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written", e);
    }
  }

  private void tokens(Path file) {
    int[][] rows = windows();
    ByteBuffer bytes =
        ByteBuffer.allocate(rows.length * (TOKENS + 1) * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int[] row : rows) {
      Arrays.stream(row).forEach(bytes::putInt);
    }
    try {
      Files.write(file, bytes.array());
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written", e);
    }
  }
}
