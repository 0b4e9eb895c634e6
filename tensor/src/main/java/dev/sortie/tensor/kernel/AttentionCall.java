package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.function.UnaryOperator;

/** Positions and attention. */
public sealed interface AttentionCall extends KernelCall {

  /** {@link Kernels#rope}. */
  record Rope(Span x, Span cos, Span sin, Span y, RopeShape shape, boolean inverse)
      implements AttentionCall {
    public Rope {
      DType type = Operands.real("rope x", x);
      Operands.all("rope x and y", type, shape.elements(), x, y);
      Operands.all("rope cos and sin", type, shape.angles(), cos, sin);
    }

    @Override
    public DType dtype() {
      return x.dtype();
    }

    @Override
    public Rope bind(Binding b) {
      return new Rope(b.read(x), b.read(cos), b.read(sin), b.write(y), shape, inverse);
    }
  }

  /** {@link Kernels#attention(Span, Span, Span, Span, Span, AttentionShape)}. */
  record Attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape shape)
      implements AttentionCall {
    public Attention {
      DType type = forward(q, out, lse, shape);
      Operands.cache("attention k", k, type, shape.keyElements());
      Operands.cache("attention v", v, type, shape.keyElements());
    }

    @Override
    public DType dtype() {
      return q.dtype();
    }

    @Override
    public Attention bind(Binding b) {
      return new Attention(b.read(q), b.read(k), b.read(v), b.write(out), b.write(lse), shape);
    }
  }

  /**
   * {@link Kernels#attention(Span, List, List, Span, Span, AttentionShape)}, also as one of the
   * sequences of {@link OfSequences}.
   *
   * @param q queries {@code [queries, heads, headSize]}
   * @param k runs of keys in the order of positions, {@code [n, kvHeads, headSize]} each
   * @param v the values, in runs of the same lengths
   * @param out like {@code q}
   * @param lse {@code [heads, queries]}
   * @param shape of batch 1
   */
  record OverRuns(Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape shape)
      implements AttentionCall {
    public OverRuns {
      DType type = forward(q, out, lse, shape);
      requireRuns(k, v, type, shape);
    }

    private static void requireRuns(List<Span> k, List<Span> v, DType type, AttentionShape s) {
      if (s.batch() != 1 || k.size() != v.size()) {
        throw new IllegalArgumentException(
            "attention over runs is of one sequence with as many runs of keys as of values, got "
                + s.batch()
                + " sequences, "
                + k.size()
                + " and "
                + v.size()
                + " runs");
      }
      long token = (long) s.kvHeads() * s.headSize();
      long length = 0;
      for (int i = 0; i < k.size(); i++) {
        Operands.cache("attention run of k", k.get(i), type, 0);
        Operands.cache("attention run of v", v.get(i), type, 0);
        Operands.check("attention run of k", k.get(i), k.getFirst().dtype(), 0);
        Operands.check("attention run of v", v.get(i), v.getFirst().dtype(), 0);
        Operands.sameLength("attention run", k.get(i), v.get(i));
        if (k.get(i).length() % token != 0) {
          throw new IllegalArgumentException(
              "attention run of " + k.get(i).length() + " elements, a token has " + token);
        }
        length += k.get(i).length();
      }
      if (length != s.keyElements()) {
        throw new IllegalArgumentException(
            "attention runs hold " + length + " elements, the kernel needs " + s.keyElements());
      }
    }

    /** This call as one of {@link Attention}, on keys and values that are copied together first. */
    public void joined(Kernels kernels) {
      if (k.size() == 1) {
        kernels.run(new Attention(q, k.getFirst(), v.getFirst(), out, lse, shape));
        return;
      }
      try (NativeArena arena = new NativeArena("runs of keys and values")) {
        Span keys = joined(kernels, arena, k);
        kernels.run(new Attention(q, keys, joined(kernels, arena, v), out, lse, shape));
      }
    }

    private static Span joined(Kernels kernels, NativeArena arena, List<Span> runs) {
      long length = runs.stream().mapToLong(Span::length).sum();
      Span all = arena.allocate(runs.getFirst().dtype(), length).span();
      long at = 0;
      for (Span run : runs) {
        kernels.copy(run, all.slice(at, run.length()));
        at += run.length();
      }
      return all;
    }

    @Override
    public DType dtype() {
      return q.dtype();
    }

    @Override
    public OverRuns bind(Binding b) {
      UnaryOperator<Span> read = b::read;
      List<Span> keys = k.stream().map(read).toList();
      List<Span> values = v.stream().map(read).toList();
      return new OverRuns(b.read(q), keys, values, b.write(out), b.write(lse), shape);
    }
  }

  /** {@link Kernels#attention(List)}. */
  record OfSequences(List<OverRuns> sequences) implements AttentionCall {
    public OfSequences {
      for (OverRuns s : sequences) {
        if (s.dtype() != sequences.getFirst().dtype()) {
          throw new IllegalArgumentException(
              "attention of sequences in "
                  + sequences.getFirst().dtype()
                  + " and in "
                  + s.dtype()
                  + "; the types must be equal");
        }
      }
    }

    @Override
    public DType dtype() {
      return sequences.isEmpty() ? DType.F32 : sequences.getFirst().dtype();
    }

    @Override
    public OfSequences bind(Binding b) {
      return new OfSequences(sequences.stream().map(s -> s.bind(b)).toList());
    }
  }

  /**
   * {@link Kernels#zeroToken}.
   *
   * @param u queries that are compared with the zero token, like {@code out}
   * @param key {@code [kvHeads, headSize]}
   * @param share {@code [batch, queries, heads]}
   */
  record ZeroToken(Span u, Span key, Span out, Span lse, Span share, AttentionShape shape)
      implements AttentionCall {
    public ZeroToken {
      DType type = Operands.real("zeroToken u", u);
      Operands.all("zeroToken u and out", type, shape.queryElements(), u, out);
      Operands.check("zeroToken lse", lse, type, shape.rows());
      long size = (long) shape.kvHeads() * shape.headSize();
      Operands.check("zeroToken key", key, type, size);
      Operands.check("zeroToken share", share, type, shape.rows());
    }

    @Override
    public DType dtype() {
      return u.dtype();
    }

    @Override
    public ZeroToken bind(Binding b) {
      return new ZeroToken(
          b.read(u), b.read(key), b.update(out), b.update(lse), b.write(share), shape);
    }
  }

  /** {@link Kernels#zeroTokenBackward}. */
  record ZeroTokenBackward(
      Span u,
      Span key,
      Span out,
      Span share,
      Span dout,
      Span dshare,
      Span du,
      Span dkey,
      Span dlse,
      AttentionShape shape)
      implements AttentionCall {
    public ZeroTokenBackward {
      DType type = Operands.real("zeroTokenBackward u", u);
      Operands.all(
          "zeroTokenBackward u, out, dout and du", type, shape.queryElements(), u, out, dout, du);
      long size = (long) shape.kvHeads() * shape.headSize();
      Operands.all("zeroTokenBackward key and dkey", type, size, key, dkey);
      Operands.all(
          "zeroTokenBackward share, dshare and dlse", type, shape.rows(), share, dshare, dlse);
    }

    @Override
    public DType dtype() {
      return u.dtype();
    }

    @Override
    public ZeroTokenBackward bind(Binding b) {
      return new ZeroTokenBackward(
          b.read(u),
          b.read(key),
          b.read(out),
          b.read(share),
          b.read(dout),
          b.read(dshare),
          b.write(du),
          b.write(dkey),
          b.write(dlse),
          shape);
    }
  }

  /**
   * {@link Kernels#attentionBackward}.
   *
   * @param dlse gradient of {@code lse}; null: none
   */
  record AttentionBackward(
      Span q,
      Span k,
      Span v,
      Span out,
      Span lse,
      Span dout,
      Span dlse,
      Span dq,
      Span dk,
      Span dv,
      AttentionShape shape)
      implements AttentionCall {
    public AttentionBackward {
      DType type = Operands.real("attentionBackward q", q);
      Operands.all(
          "attentionBackward q, out, dout and dq", type, shape.queryElements(), q, out, dout, dq);
      Operands.cache("attentionBackward k", k, type, shape.keyElements());
      Operands.cache("attentionBackward v", v, type, shape.keyElements());
      Operands.all("attentionBackward dk and dv", type, shape.keyElements(), dk, dv);
      Operands.check("attentionBackward lse", lse, type, shape.rows());
      Operands.optional("attentionBackward dlse", dlse, type, shape.rows());
    }

    @Override
    public DType dtype() {
      return q.dtype();
    }

    @Override
    public AttentionBackward bind(Binding b) {
      return new AttentionBackward(
          b.read(q),
          b.read(k),
          b.read(v),
          b.read(out),
          b.read(lse),
          b.read(dout),
          b.read(dlse),
          b.write(dq),
          b.write(dk),
          b.write(dv),
          shape);
    }
  }

  private static DType forward(Span q, Span out, Span lse, AttentionShape shape) {
    DType type = Operands.real("attention q", q);
    Operands.all("attention q and out", type, shape.queryElements(), q, out);
    Operands.check("attention lse", lse, type, shape.rows());
    return type;
  }
}
