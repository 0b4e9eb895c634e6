package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.HiddenState;
import dev.sortie.nn.CachedRows;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs rows of several sequences through layers together. Rows stand sequence after sequence and by
 * position; they are cut into passes of {@link Kernels#ROW_STABLE} wherever that falls, for a later
 * pass finds the keys of an earlier one in the cache.
 */
public final class RowPasses {
  private final Decoder decoder;
  private final List<Segment> segments;
  private final Ops ops;

  /** Positions {@code first .. end - 1} of a sequence. */
  record Rows(SequenceProgress sequence, int first, int end) {
    int count() {
      return end - first;
    }
  }

  /** The layers of a pass: rows {@code [1, R, C]} and whose they are to what follows. */
  private interface Layers {
    HiddenState run(Tensor x, List<Rows> pass);
  }

  public RowPasses(Decoder decoder, List<Segment> segments, Ops ops) {
    this.decoder = decoder;
    this.segments = segments;
    this.ops = ops;
  }

  /** Runs a segment's layers; the results are what the next segment reads. */
  void through(Segment g, List<Rows> rows) {
    for (List<Rows> pass : passes(rows)) {
      HiddenState h = run(pass, g.index(), (x, p) -> layers(g, x, p));
      if (g != segments.getLast()) {
        scatter(pass, h.x(), g.index() + 1);
      }
    }
    rows.forEach(r -> r.sequence().done(g.index(), r.end()));
  }

  /** Runs the own layer of the exit behind a segment, for one row of each sequence. */
  void throughExit(Segment g, List<Rows> rows) {
    for (List<Rows> pass : passes(rows)) {
      run(
          pass,
          g.index() + 1,
          (x, p) ->
              new HiddenState(g.exit().orElseThrow().advance(ops, x, exitCaches(g, p)), null));
    }
    rows.forEach(r -> r.sequence().exitDone(g.index(), r.end()));
  }

  /** Keys and values of that layer, for rows about which the exit is not asked. */
  void fillExit(Segment g, List<Rows> rows) {
    for (List<Rows> pass : passes(rows)) {
      g.exit().orElseThrow().fill(ops, gather(pass, g.index() + 1), exitCaches(g, pass));
    }
    rows.forEach(r -> r.sequence().exitDone(g.index(), r.end()));
  }

  private static List<CachedRows> exitCaches(Segment g, List<Rows> pass) {
    return pass.stream()
        .map(r -> new CachedRows(r.sequence().exitCache(g.index()), r.first(), r.count()))
        .toList();
  }

  /** Runs deficit tokens of a sequence through a segment and the own layer of its exit. */
  public void complete(SequenceProgress s, Segment g) {
    if (s.done(g.index()) < s.position()) {
      through(g, List.of(new Rows(s, s.done(g.index()), s.position())));
    }
    if (s.exitCache(g.index()) != null && s.exitDone(g.index()) < s.position()) {
      fillExit(g, List.of(new Rows(s, s.exitDone(g.index()), s.position())));
    }
  }

  /**
   * A piece of a prompt, read by all layers.
   *
   * @param x {@code [1, T, C]} at the first of {@code segments}
   * @param end whether it ends the prompt
   * @return what comes out of an outlet, {@code [1, T, C]}; else the final hidden state of the
   *     prompt's last token, {@code [1, 1, C]}, or null where the piece does not end it
   */
  public Tensor prompt(SequenceProgress s, Tensor x, boolean end) {
    Sequence q = s.sequence();
    Tensor y = x;
    for (Segment g : segments) {
      if (g == segments.getLast()) {
        return g.isOutlet() ? y : q.prefillTop(y, g.from(), s.position(), end);
      }
      y = q.layers(y, g.from(), g.to(), s.position()).x();
      if (s.exitCache(g.index()) != null) {
        g.exit().orElseThrow().fill(ops, y, s.exitCache(g.index()), s.position());
      }
    }
    throw new IllegalStateException("there is always a last segment");
  }

  /** One pass; each sequence keeps what came out for the last of its rows. */
  private HiddenState run(List<Rows> pass, int from, Layers layers) {
    HiddenState h = layers.run(gather(pass, from), pass);
    int row = 0;
    for (Rows r : pass) {
      row += r.count();
      SequenceProgress s = r.sequence();
      s.outcome(row(h.x(), row - 1), h.a() == null ? s.a() : row(h.a(), row - 1));
    }
    return h;
  }

  private HiddenState layers(Segment g, Tensor x, List<Rows> pass) {
    HiddenState h = new HiddenState(x, x);
    for (int i = g.from(); i < g.to(); i++) {
      int layer = i;
      List<CachedRows> caches =
          pass.stream()
              .map(r -> new CachedRows(r.sequence().sequence().cache(layer), r.first(), r.count()))
              .toList();
      DecoderLayer l = decoder.layers().get(i);
      Tensor a = l.attend(ops, h.x(), decoder.rope(), caches);
      h = new HiddenState(l.feedForward(ops, a), a);
    }
    return h;
  }

  /** Cut so that each pass is full, but for the last. */
  private static List<List<Rows>> passes(List<Rows> rows) {
    List<List<Rows>> passes = new ArrayList<>();
    int room = 0;
    for (Rows r : rows) {
      for (int first = r.first(); first < r.end(); ) {
        if (room == 0) {
          passes.add(new ArrayList<>());
          room = Kernels.ROW_STABLE;
        }
        int end = Math.min(r.end(), first + room);
        passes.getLast().add(new Rows(r.sequence(), first, end));
        room -= end - first;
        first = end;
      }
    }
    return passes;
  }

  /** What segment {@code segment} reads, {@code [1, R, C]}. */
  private Tensor gather(List<Rows> pass, int segment) {
    List<Tensor> all = new ArrayList<>();
    for (Rows r : pass) {
      for (int p = r.first(); p < r.end(); p++) {
        all.add(r.sequence().input(segment, p));
      }
    }
    Tensor x = stacked(all);
    return ops.reshape(x, 1, all.size(), x.shape().dim(1));
  }

  private void scatter(List<Rows> pass, Tensor x, int segment) {
    int row = 0;
    for (Rows r : pass) {
      for (int p = r.first(); p < r.end(); p++) {
        ops.kernels().copy(row(x, row++).span(), r.sequence().input(segment, p).span());
      }
    }
  }

  /** Rows {@code [1, C]} under each other, {@code [R, C]}. */
  Tensor stacked(List<Tensor> rows) {
    long width = rows.getFirst().shape().dim(-1);
    Tensor x = ops.empty(DType.F32, Shape.of(rows.size(), width));
    for (int i = 0; i < rows.size(); i++) {
      ops.kernels().copy(rows.get(i).span(), row(x, i).span());
    }
    return x;
  }

  /** Row {@code i} of {@code [.., C]}, as {@code [1, C]}. */
  static Tensor row(Tensor x, int i) {
    long width = x.shape().dim(-1);
    return Tensor.of(x.span().slice(i * width, width), Shape.of(1, width));
  }
}
