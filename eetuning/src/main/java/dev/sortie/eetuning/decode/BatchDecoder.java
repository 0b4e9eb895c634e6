package dev.sortie.eetuning.decode;

import dev.sortie.nn.KvCache;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Reads one token of each of several sequences in one pass, so that weights are read once for all.
 * The sequences are those of {@link FullDepth}, each with its own cache, length and life: one joins
 * by being named in a call and leaves by not being named (continuous batching), and may be decoded
 * alone in between. Passes have up to {@link Kernels#ROW_STABLE} rows, in which each row has the
 * bits that it gets alone, so a sequence's logits do not depend on its company. Not thread-safe.
 */
public final class BatchDecoder implements AutoCloseable {
  private final Decoder decoder;
  private final Workspace workspace = new Workspace();
  private final Ops ops;

  /** A decoder for sequences of {@code decoder}. */
  public BatchDecoder(Decoder decoder, Device device) {
    this.decoder = decoder;
    this.ops = new Ops(device, workspace);
  }

  /**
   * Reads a token of each sequence.
   *
   * @param sequences distinct, of this decoder; any number, of which each {@link
   *     Kernels#ROW_STABLE} share a pass
   * @param tokens the token at the next position of each
   * @return what follows it in each, as {@link DecodingStrategy#next} does
   */
  public List<Step> next(List<FullDepth> sequences, int[] tokens) {
    check(sequences, tokens);
    List<Step> steps = new ArrayList<>();
    for (int from = 0; from < tokens.length; from += Kernels.ROW_STABLE) {
      int first = from;
      int end = Math.min(tokens.length, from + Kernels.ROW_STABLE);
      steps.addAll(
          NoGrad.call(
              () -> pass(sequences.subList(first, end), Arrays.copyOfRange(tokens, first, end))));
      workspace.reset();
    }
    return steps;
  }

  /** All is checked before anything is read, so a refusal changes no sequence. */
  private void check(List<FullDepth> sequences, int[] tokens) {
    if (sequences.size() != tokens.length) {
      throw new IllegalArgumentException(
          sequences.size() + " sequences and " + tokens.length + " tokens");
    }
    Set<FullDepth> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
    for (FullDepth s : sequences) {
      if (s.sequence().decoder() != decoder) {
        throw new IllegalArgumentException("a sequence is of another model");
      }
      if (!distinct.add(s)) {
        throw new IllegalArgumentException("a sequence is named twice");
      }
      s.sequence().requireRoom(s.position() + 1);
    }
  }

  private List<Step> pass(List<FullDepth> sequences, int[] tokens) {
    int[] positions = sequences.stream().mapToInt(FullDepth::position).toArray();
    Tensor x =
        decoder.embed(ops, Tensor.ids(workspace, Shape.of(tokens.length, 1), tokens), positions);
    List<DecoderLayer> layers = decoder.layers();
    for (int i = 0; i < layers.size(); i++) {
      int layer = i;
      List<KvCache> caches = sequences.stream().map(s -> s.sequence().cache(layer)).toList();
      Tensor a = layers.get(i).attend(ops, x, decoder.rope(), caches, positions);
      x = layers.get(i).feedForward(ops, a);
    }
    Tensor logits = decoder.logits(ops, x);
    TopTokens top = TopTokens.of(ops, logits);
    long vocab = logits.shape().dim(-1);
    List<Step> steps = new ArrayList<>();
    for (int b = 0; b < tokens.length; b++) {
      Tensor row = Tensor.of(logits.span().slice(b * vocab, vocab), Shape.of(1, vocab));
      steps.add(sequences.get(b).read(row, top.probability(b)));
    }
    return steps;
  }

  @Override
  public void close() {
    workspace.close();
  }
}
