package dev.sortie.eetuning.train.data;

import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.CachedRows;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Samples many texts of equal length from a model at once, at full depth: each weight is read once
 * for all of them. Used to make tuning text from the model itself. A text that ends continues with
 * a new one in the same row, as documents are packed in training.
 */
public final class ParallelSampler {
  private final Decoder decoder;
  private final Device device;
  private final SamplingOptions sampling;

  /** A sampler of {@code decoder}. Row {@code b} draws from its own stream of the seed. */
  public ParallelSampler(Decoder decoder, SamplingOptions sampling, Device device) {
    this.decoder = decoder;
    this.sampling = sampling;
    this.device = device;
  }

  /**
   * Samples.
   *
   * @param first first token of each row; distinct rows may share it
   * @param length tokens a row in all
   * @param stream makes calls with the same seed differ
   * @param progress gets the number of tokens done so far in each row
   * @return {@code [rows][length]}
   */
  public int[][] sample(int[] first, int length, long stream, IntConsumer progress) {
    int rows = first.length;
    int[][] texts = new int[rows][length];
    List<Sampler> samplers = new ArrayList<>();
    for (int b = 0; b < rows; b++) {
      texts[b][0] = first[b];
      long seed = sampling.seed() * 1_000_003L + stream * rows + b;
      samplers.add(
          new Sampler(sampling.with(sampling.temperature(), seed), decoder.config().vocab()));
    }
    try (NativeArena arena = new NativeArena("sampler");
        Workspace workspace = new Workspace()) {
      Ops ops = new Ops(device, workspace);
      List<List<KvCache>> caches = caches(arena, rows, length - 1);
      float[] row = new float[decoder.config().vocab()];
      for (int p = 0; p + 1 < length; p++) {
        int position = p;
        Tensor logits = NoGrad.call(() -> logits(ops, texts, caches, position));
        for (int b = 0; b < rows; b++) {
          long from = (long) b * row.length;
          MemorySegment.ofArray(row).copyFrom(logits.span().slice(from, row.length).readOnly());
          texts[b][p + 1] = samplers.get(b).choose(row, p + 1);
        }
        workspace.reset();
        progress.accept(p + 2);
      }
    }
    return texts;
  }

  /** What texts begin with. */
  @FunctionalInterface
  public interface Openings {
    /** The ids, at least one, that text {@code nth} of row {@code row} begins with. */
    int[] of(int row, int nth);
  }

  /**
   * Samples rows of texts: each text begins with an opening; where one ends, the row continues with
   * the next opening. Of the sampling options the temperature and the seed count.
   *
   * @param rows rows side by side
   * @param length tokens a row in all
   * @param ends ids that end a text
   * @param stream makes calls with the same seed differ
   * @param progress gets the number of tokens done so far in each row
   * @return {@code [rows][length]}
   */
  public int[][] texts(
      Openings openings,
      int rows,
      int length,
      Set<Integer> ends,
      long stream,
      IntConsumer progress) {
    Random random = new Random(sampling.seed(), 0).stream("texts").stream(stream);
    int[][] texts = new int[rows][length];
    int[] given = new int[rows];
    int[] nth = new int[rows];
    for (int b = 0; b < rows; b++) {
      given[b] = open(texts[b], 0, openings.of(b, nth[b]++));
    }
    try (NativeArena arena = new NativeArena("sampler");
        Workspace workspace = new Workspace()) {
      Ops ops = new Ops(device, workspace);
      List<List<KvCache>> caches = caches(arena, rows, length - 1);
      float[] row = new float[decoder.config().vocab()];
      for (int p = 0; p + 1 < length; p++) {
        int position = p;
        Tensor weights = NoGrad.call(() -> probabilities(ops, texts, caches, position));
        for (int b = 0; b < rows; b++) {
          if (p + 1 < given[b]) {
            continue;
          }
          long from = (long) b * row.length;
          MemorySegment.ofArray(row).copyFrom(weights.span().slice(from, row.length).readOnly());
          int id = drawn(row, random.stream(b).uniform(p));
          texts[b][p + 1] = id;
          if (ends.contains(id)) {
            given[b] = open(texts[b], p + 2, openings.of(b, nth[b]++));
          }
        }
        workspace.reset();
        progress.accept(p + 2);
      }
    }
    return texts;
  }

  /** Writes an opening into a row, as far as there is room; the position after it. */
  private static int open(int[] row, int at, int[] opening) {
    int count = Math.max(0, Math.min(opening.length, row.length - at));
    System.arraycopy(opening, 0, row, at, count);
    return at + count;
  }

  private Tensor probabilities(Ops ops, int[][] texts, List<List<KvCache>> caches, int position) {
    Tensor logits = logits(ops, texts, caches, position);
    double temperature = sampling.temperature();
    return temperature == 0 ? logits : ops.softmax(ops.scale(logits, 1 / temperature));
  }

  /**
   * A token by its probability, found in order of ids: no sorting, which would take as long as the
   * model. At temperature 0 these are logits and the first largest is taken.
   */
  private int drawn(float[] row, double u) {
    if (sampling.temperature() == 0) {
      return Sampler.argmax(row);
    }
    double left = u;
    int last = 0;
    for (int i = 0; i < row.length; i++) {
      if (row[i] > 0) {
        last = i;
        left -= row[i];
        if (left < 0) {
          return i;
        }
      }
    }
    return last;
  }

  /** By layer, then by row. */
  private List<List<KvCache>> caches(NativeArena arena, int rows, int length) {
    List<List<KvCache>> byLayer = new ArrayList<>();
    decoder.layers().forEach(l -> byLayer.add(new ArrayList<>()));
    for (int b = 0; b < rows; b++) {
      List<KvCache> one = decoder.cache(arena, DType.F32, length);
      for (int i = 0; i < one.size(); i++) {
        byLayer.get(i).add(one.get(i));
      }
    }
    return byLayer;
  }

  private Tensor logits(Ops ops, int[][] texts, List<List<KvCache>> caches, int position) {
    int[] now = new int[texts.length];
    for (int b = 0; b < now.length; b++) {
      now[b] = texts[b][position];
    }
    Tensor x =
        decoder.embed(ops, Tensor.ids(ops.workspace(), Shape.of(now.length, 1), now), position);
    int[] positions = new int[now.length];
    Arrays.fill(positions, position);
    x = ops.reshape(x, 1, now.length, x.shape().dim(-1));
    for (int i = 0; i < caches.size(); i++) {
      DecoderLayer layer = decoder.layers().get(i);
      List<CachedRows> rows =
          caches.get(i).stream().map(c -> new CachedRows(c, position, 1)).toList();
      x = layer.feedForward(ops, layer.attend(ops, x, decoder.rope(), rows));
    }
    return TopTokens.of(ops, decoder.logits(ops, x)).logits();
  }
}
