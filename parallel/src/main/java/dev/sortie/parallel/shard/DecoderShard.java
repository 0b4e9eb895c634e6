package dev.sortie.parallel.shard;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Slice;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.tensor.Shape;
import java.util.Optional;

/**
 * Which part of a decoder one tensor-parallel rank has: its heads, its part of the MLP's inner
 * width and its part of the vocabulary. Norms and the biases of projections into the residual
 * stream are on all ranks. A pure function of the sizes, so that every rank finds the same answer.
 *
 * @param whole the decoder
 * @param ranks how many share it
 * @param index this rank's position
 * @param heads its heads
 * @param ffn its part of the inner width
 * @param vocab its part of the vocabulary
 */
public record DecoderShard(
    DecoderConfig whole, int ranks, int index, HeadShard heads, ShardRange ffn, ShardRange vocab) {

  /**
   * The shard of rank {@code index} of {@code ranks}.
   *
   * @throws InputException if the decoder cannot be shared out so
   */
  public static DecoderShard of(DecoderConfig whole, int ranks, int index) {
    if (ranks > 1) {
      whole.requireLayersUsedOnce("--tp " + ranks);
    }
    if (ranks > 1 && whole.switches().queryKeyNorm() == QueryKeyNorm.PROJECTION) {
      throw new InputException(
          "this model normalises the queries of all heads together, which tensor parallelism does"
              + " not share out; take --tp 1");
    }
    if (ranks > 1 && !whole.switches().bases().isNone()) {
      throw new InputException(
          "the layers of this model share bases (shared_bases in config.json), which tensor"
              + " parallelism does not share out; take --tp 1");
    }
    if (ranks > whole.ffn() || ranks > whole.vocab()) {
      throw new InputException(
          "intermediate_size %d and vocab_size %d cannot be shared out to %d tensor-parallel ranks; take fewer"
              .formatted(whole.ffn(), whole.vocab(), ranks));
    }
    return new DecoderShard(
        whole,
        ranks,
        index,
        HeadShard.of(whole.heads(), whole.kvHeads(), ranks, index),
        ShardRange.of(whole.ffn(), unit(whole.ffn(), ranks), ranks, index),
        ShardRange.of(whole.vocab(), ranks, index));
  }

  /**
   * What the inner width is cut into: whole blocks of quantised weights where that leaves the ranks
   * alike, else blocks of 32 where there are enough.
   */
  private static long unit(int ffn, int ranks) {
    for (int block : new int[] {256, 32}) {
      if (ffn % ((long) block * ranks) == 0) {
        return block;
      }
    }
    return ffn % 32 == 0 && ffn / 32 >= 2 * ranks && ffn % ranks != 0 ? 32 : 1;
  }

  /** Sizes of this shard: what the modules of this rank are built with. */
  public DecoderConfig config() {
    return new DecoderConfig(
        whole.layers(),
        whole.hidden(),
        Math.toIntExact(heads.queries().count()),
        Math.toIntExact(heads.keys().count()),
        whole.headSize(),
        Math.toIntExact(ffn.count()),
        Math.toIntExact(vocab.count()),
        whole.context(),
        whole.normEps(),
        whole.ropeTheta(),
        whole.ropeInterleaved(),
        whole.attentionBias(),
        whole.mlpBias(),
        whole.tiedHead(),
        whole.switches());
  }

  /** The same where the head covers another number of tokens. */
  DecoderShard over(int tokens) {
    return of(whole.withVocab(tokens), ranks, index);
  }

  /** How a tensor of the decoder is shared out. */
  enum Kind {
    /** On all ranks. */
    WHOLE,
    /** By query heads, along the outputs. */
    QUERIES,
    /** By key and value heads, along the outputs. */
    KEYS,
    /** By query heads, along the inputs. */
    FROM_QUERIES,
    /** By inner width, along the outputs. */
    INNER,
    /** By inner width, along the inputs. */
    FROM_INNER,
    /** By tokens of the vocabulary. */
    VOCAB
  }

  /**
   * The kind of a tensor, by the last words of its name: tensors of modules outside of the decoder,
   * such as an exit's layer and head, are shared out like those.
   */
  static Kind kind(String name) {
    String[] words = name.split("\\.");
    String module = words.length < 2 ? name : words[words.length - 2];
    boolean bias = name.endsWith(".bias");
    return switch (module) {
      case "q_proj" -> Kind.QUERIES;
      case "k_proj", "v_proj" -> Kind.KEYS;
      case "o_proj" -> bias ? Kind.WHOLE : Kind.FROM_QUERIES;
      case "gate_proj", "up_proj" -> Kind.INNER;
      case "down_proj" -> bias ? Kind.WHOLE : Kind.FROM_INNER;
      case "embed_tokens", "lm_head", "head" -> Kind.VOCAB;
      default -> Kind.WHOLE;
    };
  }

  /** This rank's part of a tensor of the decoder; empty if it has all of it. */
  public Optional<Slice> part(String name) {
    int size = whole.headSize();
    return Optional.ofNullable(
        switch (kind(name)) {
          case WHOLE -> null;
          case QUERIES -> part(0, heads.queries(), size);
          case KEYS -> part(0, heads.keys(), size);
          case FROM_QUERIES -> part(1, heads.queries(), size);
          case INNER -> part(0, ffn, 1);
          case FROM_INNER -> part(1, ffn, 1);
          case VOCAB -> part(0, vocab, 1);
        });
  }

  /** Whether this rank is the first of those that have the same elements of a tensor. */
  boolean answers(String name) {
    return switch (kind(name)) {
      case WHOLE -> index == 0;
      case KEYS -> heads.sharers().from() == index;
      default -> true;
    };
  }

  private static Slice part(int dim, ShardRange range, long size) {
    return new Slice(dim, range.from() * size, range.count() * size);
  }

  /** The shape of the whole tensor of which this rank has {@code mine}. */
  Shape whole(String name, Shape mine) {
    long[] dims = mine.dims();
    int size = whole.headSize();
    switch (kind(name)) {
      case WHOLE -> {}
      case QUERIES -> dims[0] = (long) whole.heads() * size;
      case KEYS -> dims[0] = (long) whole.kvHeads() * size;
      case FROM_QUERIES -> dims[1] = (long) whole.heads() * size;
      case INNER -> dims[0] = whole.ffn();
      case FROM_INNER -> dims[1] = whole.ffn();
      case VOCAB -> dims[0] = whole.vocab();
    }
    return Shape.of(dims);
  }
}
