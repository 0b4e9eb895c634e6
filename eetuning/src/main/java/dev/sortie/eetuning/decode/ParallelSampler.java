package dev.sortie.eetuning.decode;

import dev.sortie.nn.KvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Samples many texts of equal length from a model at once, at full depth: each weight is read once
 * for all of them. Used to make tuning text from the model itself. A text that ends goes on with a
 * new one in the same row, as documents are packed in training.
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
          new Sampler(
              new SamplingOptions(
                  sampling.temperature(),
                  sampling.topK(),
                  sampling.topP(),
                  sampling.minP(),
                  sampling.repetitionPenalty(),
                  seed),
              decoder.config().vocab()));
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
          MemorySegment.ofArray(row).copyFrom(logits.span().slice(from, row.length).segment());
          texts[b][p + 1] = samplers.get(b).choose(row, p + 1);
        }
        workspace.reset();
        progress.accept(p + 2);
      }
    }
    return texts;
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
    for (int i = 0; i < caches.size(); i++) {
      DecoderLayer layer = decoder.layers().get(i);
      x = layer.feedForward(ops, layer.attend(ops, x, decoder.rope(), caches.get(i), position));
    }
    return decoder.logits(ops, x);
  }
}
