package dev.sortie.nn.model;

import dev.sortie.nn.CachedRows;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.LinearMap;
import dev.sortie.nn.RmsNorm;
import dev.sortie.nn.RopeTable;
import dev.sortie.nn.RopeTables;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.DecoderSwitches.LayerKind;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.autograd.ZeroTokenAttention;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Causal grouped-query self-attention.
 *
 * @param config sizes; those of this rank's share
 * @param kind what it sees, and how positions are told
 * @param q {@code C → H D}
 * @param k {@code C → K D}
 * @param v {@code C → K D}
 * @param o {@code H D → C}
 * @param queryNorm on queries before rotation, where there is one
 * @param keyNorm on keys before rotation, where there is one
 * @param zeroToken one more token in each softmax, where there is one
 * @param sharding where it meets other ranks
 */
public record SelfAttention(
    DecoderConfig config,
    LayerKind kind,
    LinearMap q,
    LinearMap k,
    LinearMap v,
    LinearMap o,
    Optional<RmsNorm> queryNorm,
    Optional<RmsNorm> keyNorm,
    Optional<ZeroToken> zeroToken,
    Sharding sharding) {

  /**
   * What attention gives.
   *
   * @param out {@code [.., C]}, to be added to the residual stream
   * @param zeroShare what the zero token took of each head's softmax, {@code [.., H]}, where there
   *     is one
   */
  record Attended(Tensor out, Optional<Tensor> zeroShare) {}

  /**
   * Takes {@code q_proj}, {@code k_proj}, {@code v_proj}, {@code o_proj} and, where the model has
   * them, {@code q_norm} and {@code k_norm}.
   *
   * @param layer number of the layer, from 0
   */
  public static SelfAttention of(DecoderConfig c, int layer, Weights weights, Sharding sharding) {
    long queryWidth = (long) c.heads() * c.headSize();
    long keyWidth = (long) c.kvHeads() * c.headSize();
    var in = Weights.Role.INPUT_PROJECTION;
    return new SelfAttention(
        c,
        c.switches().layer(layer),
        LinearMap.of(weights, "q_proj", c.hidden(), queryWidth, c.attentionBias(), in),
        LinearMap.of(weights, "k_proj", c.hidden(), keyWidth, c.attentionBias(), in),
        LinearMap.of(weights, "v_proj", c.hidden(), keyWidth, c.attentionBias(), in),
        LinearMap.of(
            weights,
            "o_proj",
            queryWidth,
            c.hidden(),
            c.switches().outputBias(),
            Weights.Role.OUTPUT_PROJECTION),
        norm(c, weights, "q_norm", queryWidth),
        norm(c, weights, "k_norm", keyWidth),
        Optional.empty(),
        sharding);
  }

  /** The same weights with a zero token. */
  SelfAttention with(ZeroToken token) {
    return new SelfAttention(
        config, kind, q, k, v, o, queryNorm, keyNorm, Optional.of(token), sharding);
  }

  private static Optional<RmsNorm> norm(DecoderConfig c, Weights weights, String name, long width) {
    QueryKeyNorm what = c.switches().queryKeyNorm();
    long size = what == QueryKeyNorm.HEAD ? c.headSize() : width;
    return what == QueryKeyNorm.NONE
        ? Optional.empty()
        : Optional.of(RmsNorm.of(weights, name, size, c.normEps()));
  }

  /**
   * Whole sequences from position 0: x {@code [B, T, C]} to {@code [B, T, C]}, or this rank's rows
   * of them.
   */
  Attended apply(Ops ops, Tensor x, RopeTables rope) {
    List<Tensor> qkv = sharding.inputs(ops, x, q, k, v);
    int batch = qkv.get(0).shape().size(0);
    int tokens = qkv.get(0).shape().size(1);
    Tensor unrotated = normed(ops, queryNorm, qkv.get(0), config.heads());
    Optional<Angles> angles = angles(rope, 0, tokens);
    Tensor queries = rotated(ops, unrotated, angles);
    Tensor keys = rotated(ops, normed(ops, keyNorm, qkv.get(1), config.kvHeads()), angles);
    Tensor values = ops.reshape(qkv.get(2), batch, tokens, config.kvHeads(), config.headSize());
    AttentionShape shape = shape(batch, tokens, tokens);
    if (zeroToken.isEmpty()) {
      return plain(project(ops, ops.attention(queries, keys, values, shape)));
    }
    Tensor key = zeroToken.get().key();
    ZeroTokenAttention z = ops.zeroTokenAttention(queries, keys, values, unrotated, key, shape);
    return new Attended(project(ops, z.out()), Optional.of(z.share()));
  }

  /**
   * Drafts after each token of whole sequences: row t of x {@code [B, T, C]} stands {@code ahead}
   * positions after token t, and sees the sequence up to that token, and itself.
   *
   * @param text what the sequences' own tokens read, {@code [B, T, C]}
   */
  Attended applyAhead(Ops ops, Tensor x, Tensor text, RopeTables rope, int ahead) {
    List<Tensor> qkv = sharding.inputs(ops, x, q, k, v);
    List<Tensor> kv = sharding.inputs(ops, text, k, v);
    int batch = x.shape().size(0);
    int tokens = x.shape().size(1);
    Optional<Angles> here = angles(rope, 0, tokens);
    Optional<Angles> there = angles(rope, ahead, ahead + tokens);
    Tensor queries = rotated(ops, normed(ops, queryNorm, qkv.get(0), config.heads()), there);
    Tensor ownKeys = rotated(ops, normed(ops, keyNorm, qkv.get(1), config.kvHeads()), there);
    Tensor keys = rotated(ops, normed(ops, keyNorm, kv.get(0), config.kvHeads()), here);
    Shape split = Shape.of(batch, tokens, config.kvHeads(), config.headSize());
    // the own key is a zero token to the others, whose score is a sum of products; its value is
    // added by its share
    Tensor products = ops.mul(queries, perHead(ops, ownKeys));
    Tensor ones = ops.full(x.dtype(), Shape.of((long) config.kvHeads() * config.headSize()), 1);
    ZeroTokenAttention others =
        ops.zeroTokenAttention(
            queries,
            keys,
            ops.reshape(kv.get(1), split.dims()),
            products,
            ones,
            shape(batch, tokens, tokens));
    Tensor share = ops.reshape(others.share(), batch, tokens, config.heads(), 1);
    Tensor own =
        ops.mul(
            ops.broadcast(share, queries.shape()),
            perHead(ops, ops.reshape(qkv.get(2), split.dims())));
    return plain(project(ops, ops.add(others.out(), own)));
  }

  /** Keys or values {@code [B, T, K, D]} for each query head, {@code [B, T, H, D]}. */
  private Tensor perHead(Ops ops, Tensor x) {
    int batch = x.shape().size(0);
    int tokens = x.shape().size(1);
    int group = config.heads() / config.kvHeads();
    Tensor one = ops.reshape(x, batch, tokens, config.kvHeads(), 1, config.headSize());
    Shape all = Shape.of(batch, tokens, config.kvHeads(), group, config.headSize());
    return ops.reshape(
        ops.contiguous(ops.broadcast(one, all)), batch, tokens, config.heads(), config.headSize());
  }

  /**
   * The next tokens of one cached sequence: x {@code [1, T, C]} at positions {@code first ..};
   * their keys and values are stored.
   */
  Attended apply(Ops ops, Tensor x, RopeTables rope, KvCache cache, int first) {
    return apply(ops, x, rope, List.of(new CachedRows(cache, first, x.shape().size(1))));
  }

  /**
   * As above, but only the last token is asked for, {@code [1, 1, C]}: the others leave their keys
   * and values.
   */
  Attended applyLast(Ops ops, Tensor x, RopeTables rope, KvCache cache, int first) {
    int tokens = x.shape().size(1);
    fill(ops, x, rope, cache, first);
    Tensor one = ops.contiguous(ops.slice(x, 1, tokens - 1, 1));
    return applyFilled(ops, one, rope, List.of(new CachedRows(cache, first + tokens - 1, 1)));
  }

  /**
   * As {@link #apply(Ops, Tensor, RopeTables, List)} where {@link #fill} has stored the keys and
   * values of these rows.
   */
  Attended applyFilled(Ops ops, Tensor x, RopeTables rope, List<CachedRows> sequences) {
    Tensor queries = sharding.inputs(ops, x, q).getFirst();
    return mix(ops, queries, angles(ops, rope, sequences), sequences);
  }

  /** Stores the keys and values of the next tokens and computes nothing else. */
  public void fill(Ops ops, Tensor x, RopeTables rope, KvCache cache, int first) {
    fill(ops, x, rope, List.of(new CachedRows(cache, first, x.shape().size(1))));
  }

  /** As above for rows of several sequences, x {@code [1, R, C]}. */
  public void fill(Ops ops, Tensor x, RopeTables rope, List<CachedRows> sequences) {
    List<Tensor> kv = sharding.inputs(ops, x, k, v);
    store(ops, kv.get(0), kv.get(1), angles(ops, rope, sequences), sequences);
  }

  private void store(
      Ops ops, Tensor keys, Tensor values, Optional<Angles> angles, List<CachedRows> sequences) {
    checkRows(keys, sequences);
    Tensor k = rotated(ops, normed(ops, keyNorm, keys, config.kvHeads()), angles);
    Tensor v = ops.reshape(values, 1, values.shape().dim(1), config.kvHeads(), config.headSize());
    int row = 0;
    for (CachedRows s : sequences) {
      s.cache().put(ops, s.first(), rows(k, row, s.count()), rows(v, row, s.count()));
      row += s.count();
    }
  }

  /**
   * The next tokens of several cached sequences: x {@code [1, R, C]}, the rows of one sequence
   * after those of another. Projections see all rows at once, attention each sequence alone, in one
   * region for all.
   */
  Attended apply(Ops ops, Tensor x, RopeTables rope, List<CachedRows> sequences) {
    List<Tensor> qkv = sharding.inputs(ops, x, q, k, v);
    Optional<Angles> angles = angles(ops, rope, sequences);
    store(ops, qkv.get(1), qkv.get(2), angles, sequences);
    return mix(ops, qkv.get(0), angles, sequences);
  }

  private static Attended plain(Tensor out) {
    return new Attended(out, Optional.empty());
  }

  /** Attention of queries {@code [1, R, H D]} over keys and values that are stored. */
  private Attended mix(
      Ops ops, Tensor queries, Optional<Angles> angles, List<CachedRows> sequences) {
    checkRows(queries, sequences);
    Tensor split = normed(ops, queryNorm, queries, config.heads());
    Tensor rotated = rotated(ops, split, angles);
    if (zeroToken.isPresent()) {
      return mix(ops, split, rotated, sequences, zeroToken.get().key());
    }
    if (sequences.size() == 1) {
      CachedRows one = sequences.getFirst();
      AttentionShape shape = shape(1, one.count(), one.end());
      return plain(project(ops, one.cache().attend(ops, rotated, shape)));
    }
    Tensor mixed = ops.empty(queries.dtype(), queries.shape());
    ops.kernels().attention(parts(ops, rotated, mixed, sequences));
    return plain(sharding.output(ops, mixed, o));
  }

  /**
   * The same with a zero token, which each row sees in addition.
   *
   * @param split queries before rotation, {@code [1, R, H, D]}
   */
  private Attended mix(
      Ops ops, Tensor split, Tensor rotated, List<CachedRows> sequences, Tensor zeroKey) {
    int count = split.shape().size(1);
    Tensor mixed =
        ops.empty(split.dtype(), Shape.of(1, count, (long) config.heads() * config.headSize()));
    List<AttentionCall.OverRuns> parts = parts(ops, rotated, mixed, sequences);
    ops.kernels().attention(parts);
    Tensor share = ops.empty(split.dtype(), Shape.of(1, count, config.heads()));
    int row = 0;
    for (AttentionCall.OverRuns p : parts) {
      int n = p.shape().queries();
      Span u = rows(split, row, n).span();
      Span to = rows(share, row, n).span();
      ops.kernels().zeroToken(u, zeroKey.span(), p.out(), p.lse(), to, p.shape());
      row += n;
    }
    return new Attended(sharding.output(ops, mixed, o), Optional.of(share));
  }

  /** The attention of each sequence, into its rows of {@code mixed}. */
  private List<AttentionCall.OverRuns> parts(
      Ops ops, Tensor queries, Tensor mixed, List<CachedRows> sequences) {
    List<AttentionCall.OverRuns> parts = new ArrayList<>(sequences.size());
    int row = 0;
    for (CachedRows s : sequences) {
      int n = s.count();
      Tensor own = rows(queries, row, n);
      parts.add(s.cache().part(ops, own, rows(mixed, row, n), shape(1, n, s.end())));
      row += n;
    }
    return parts;
  }

  private static void checkRows(Tensor x, List<CachedRows> sequences) {
    int ofSequences = sequences.stream().mapToInt(CachedRows::count).sum();
    int count = x.shape().size(1);
    if (ofSequences != count) {
      throw new IllegalArgumentException(count + " rows, of which sequences have " + ofSequences);
    }
  }

  /** Rows {@code from .. from + count - 1} of x {@code [1, R, ..]}. */
  private static Tensor rows(Tensor x, int from, int count) {
    long[] dims = x.shape().dims();
    long width = x.shape().count() / dims[1];
    dims[1] = count;
    return Tensor.of(x.span().slice(from * width, count * width), Shape.of(dims));
  }

  /** Queries or keys {@code [B, T, heads D]} as {@code [B, T, heads, D]}, normalised. */
  private Tensor normed(Ops ops, Optional<RmsNorm> norm, Tensor x, int heads) {
    boolean byHead = config.switches().queryKeyNorm() == QueryKeyNorm.HEAD;
    Tensor whole = norm.isPresent() && !byHead ? norm.get().apply(ops, x) : x;
    Tensor split = ops.reshape(whole, x.shape().dim(0), x.shape().dim(1), heads, config.headSize());
    return norm.isPresent() && byHead ? norm.get().apply(ops, split) : split;
  }

  /**
   * Rows of rotary tables, row {@code first} for the first token.
   *
   * @param cos {@code [positions, rotary / 2]}
   * @param sin {@code [positions, rotary / 2]}
   */
  private record Angles(Tensor cos, Tensor sin, int first) {
    /** Of positions {@code first .. end - 1}. */
    static Angles of(RopeTable table, int first, int end) {
      return new Angles(table.cos(end), table.sin(end), first);
    }
  }

  /** The table that tells positions, where one does. */
  private Optional<RopeTable> table(RopeTables tables) {
    return switch (kind.rotation()) {
      case NONE -> Optional.empty();
      case LOCAL -> Optional.of(tables.local());
      case GLOBAL -> Optional.of(tables.global());
    };
  }

  /** Of whole sequences, positions {@code first .. end - 1}. */
  private Optional<Angles> angles(RopeTables tables, int first, int end) {
    return table(tables).map(table -> Angles.of(table, first, end));
  }

  /** Of rows of several sequences: their rows of the tables one after the other. */
  private Optional<Angles> angles(Ops ops, RopeTables tables, List<CachedRows> sequences) {
    if (sequences.size() == 1) {
      CachedRows one = sequences.getFirst();
      return angles(tables, one.first(), one.end());
    }
    int end = sequences.stream().mapToInt(CachedRows::end).max().orElse(0);
    return angles(tables, 0, end).map(all -> gathered(ops, all, sequences));
  }

  private static Angles gathered(Ops ops, Angles all, List<CachedRows> sequences) {
    int[] at = sequences.stream().flatMapToInt(s -> IntStream.range(s.first(), s.end())).toArray();
    Tensor ids = Tensor.ids(ops.workspace(), Shape.of(at.length), at);
    return new Angles(ops.embedding(all.cos(), ids), ops.embedding(all.sin(), ids), 0);
  }

  /** Queries or keys {@code [B, T, heads, D]}, ready to be compared. */
  private Tensor rotated(Ops ops, Tensor x, Optional<Angles> angles) {
    return angles.map(a -> rotated(ops, x, a)).orElse(x);
  }

  private Tensor rotated(Ops ops, Tensor x, Angles angles) {
    int batch = x.shape().size(0);
    int tokens = x.shape().size(1);
    int heads = x.shape().size(2);
    int rotary = config.switches().rotary();
    boolean interleaved = config.ropeInterleaved();
    RopeShape shape =
        new RopeShape(batch, tokens, heads, config.headSize(), rotary, angles.first(), interleaved);
    return ops.rope(x, angles.cos(), angles.sin(), shape);
  }

  /** What attention over heads gave, {@code [B, T, H, D]}, through the output projection. */
  private Tensor project(Ops ops, Tensor mixed) {
    int batch = mixed.shape().size(0);
    int tokens = mixed.shape().size(1);
    return sharding.output(
        ops, ops.reshape(mixed, batch, tokens, (long) config.heads() * config.headSize()), o);
  }

  private AttentionShape shape(int batch, int queries, int keys) {
    return new AttentionShape(
        batch,
        queries,
        keys,
        config.heads(),
        config.kvHeads(),
        config.headSize(),
        config.switches().attentionScale(),
        kind.window());
  }
}
