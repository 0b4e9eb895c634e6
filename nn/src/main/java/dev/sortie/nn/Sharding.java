package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.HeadLoss;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Allocator;
import java.util.List;
import java.util.SequencedMap;

/**
 * Where a model whose weights are shared out among ranks meets the other ranks. Between these
 * places a rank computes with its heads, its part of the MLP and its part of the vocabulary, and
 * the modules are the same as of one rank, only smaller: so this is all that they need to know.
 *
 * <p>The residual stream is what norms and additions see. It is whole on each rank, or each has
 * some rows of it. B batch, T tokens, C hidden, V vocab.
 */
public interface Sharding {
  /** One rank has everything. */
  Sharding NONE = new Unsharded();

  /**
   * Token embeddings.
   *
   * @param table this rank's rows of {@code [V, C]}
   * @param ids I32 {@code [B, T]}, the same on all ranks
   * @return {@code [B, T, C]}, whole
   */
  Tensor embedding(Ops ops, Tensor table, Tensor ids);

  /** The residual stream of whole sequences begins: x {@code [B, T, C]} is whole. */
  Tensor begin(Ops ops, Tensor x);

  /**
   * Projections that read the residual stream.
   *
   * @param x a part of the residual stream, normalised
   * @param projections this rank's outputs of each
   * @return of each {@code [B, T, outputs]}, with all rows
   */
  List<Tensor> inputs(Ops ops, Tensor x, LinearMap... projections);

  /**
   * A projection that writes into the residual stream.
   *
   * @param x {@code [B, T, inputs]}, all rows of this rank's inputs
   * @param projection this rank's inputs of it, and the whole bias
   * @return a part of the residual stream
   */
  Tensor output(Ops ops, Tensor x, LinearMap projection);

  /**
   * The head.
   *
   * @param x a part of the residual stream, normalised
   * @param head this rank's rows
   * @return logits {@code [.., V]}, whole
   */
  Tensor logits(Ops ops, Tensor x, Linear head);

  /**
   * {@link Ops#linearCrossEntropy} over all of the vocabulary; the sum is the same on all ranks.
   *
   * @param in a part of the residual stream, normalised, and this rank's rows of the head
   * @param targets I32 {@code [B, T]}, whole
   * @param weights {@code [B, T]}, whole
   */
  HeadLoss crossEntropy(Ops ops, HeadInput in, Tensor targets, Tensor weights, boolean confident);

  /** {@link Ops#linearKl} over all of the vocabulary; parts as in {@link #crossEntropy}. */
  HeadLoss kl(
      Ops ops, List<HeadInput> students, HeadInput teacher, Tensor weights, boolean confident);

  /**
   * This rank's share of weights that modules of the model ask for by the names of the decoder.
   *
   * @param source of whole tensors
   */
  Weights share(SlicedWeights source);

  /**
   * Shares put together again, on every rank: what goes into a file.
   *
   * @param shares by names as in {@link #share}
   * @param allocator for what is not whole already
   */
  SequencedMap<String, Tensor> whole(SequencedMap<String, Tensor> shares, Allocator allocator);

  /**
   * Where a head over other tokens meets other ranks: that of an exit which covers the most
   * frequent ones. All but the embedding is as here.
   *
   * @param tokens how many it covers
   * @throws dev.sortie.nn.InputException if they are too few for the ranks
   */
  Sharding over(int tokens);

  /** How many of a head's {@code tokens} this rank has. */
  int held(int tokens);

  /**
   * Rows of the head for some tokens, in the head's type. A call of all ranks, where there are
   * several.
   *
   * @param head {@code [V, C]}, or this rank's rows
   * @param ids tokens; a negative one gets a row of zeros
   * @param allocator for the result
   * @return {@code [N, C]}, or this rank's rows of those, as {@link #over} shares them out
   */
  Tensor rows(Tensor head, int[] ids, Allocator allocator);

  /** As {@link #rows}, and each rank has all of them. */
  Tensor wholeRows(Tensor head, int[] ids, Allocator allocator);

  /** Whether each rank has only some rows of the residual stream. */
  boolean splitsTokens();

  /** The shape of this rank's part of a residual stream of shape {@code whole}. */
  Shape residual(Shape whole);

  /** The number of the first row, of the {@code B T} of the whole, in this rank's part of it. */
  long firstRow(Shape whole);
}
