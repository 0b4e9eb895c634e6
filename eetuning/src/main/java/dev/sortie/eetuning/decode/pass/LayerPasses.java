package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.CachedRows;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Runs rows of texts through layers. Rows stand text after text and by position; they are cut into
 * passes, of {@link Kernels#ROW_STABLE} rows usually, wherever that falls, for a later pass finds
 * the keys of an earlier one in the cache. The rows of one text are read where they lie.
 */
final class LayerPasses {
  private final Decoder decoder;
  private final Ops ops;
  private final LayerStack stack;
  private final int most;

  /** Positions {@code first .. end - 1} of a text. */
  record Rows(SequenceState text, int first, int end) {
    int count() {
      return end - first;
    }
  }

  /** Where states of rows lie, {@code [1, count, C]}. */
  interface Place {
    Tensor of(Rows rows);
  }

  /**
   * Passes.
   *
   * @param most rows of a pass at most
   */
  LayerPasses(Decoder decoder, Ops ops, int most) {
    this.decoder = decoder;
    this.ops = ops;
    this.stack = new LayerStack(decoder, ops);
    this.most = most;
  }

  /** Runs a segment's layers over rows that lack them. */
  void run(Segment g, List<Rows> rows) {
    for (List<Rows> pass : passes(rows)) {
      Tensor x = gather(pass, r -> r.text().at(g).inputs.rows(r.first(), r.end()));
      HiddenState h = stack.run(x, g.from(), g.to(), i -> cached(pass, i));
      int row = 0;
      for (Rows r : pass) {
        int end = row + r.count();
        r.text().at(g).ran(Sequence.rows(h.x(), row, end), Sequence.rows(h.a(), row, end));
        row = end;
      }
    }
  }

  /**
   * Runs the own layer of the exit after a segment over rows about which it is asked, at most a
   * stable batch, and makes up for those before them.
   *
   * @return its outputs there, {@code [1, R, C]}
   */
  Tensor runExit(Segment g, List<Rows> rows) {
    Exit exit = g.exit().orElseThrow();
    Rows first = rows.getFirst();
    if (rows.size() == 1 && first.count() == 1) {
      // those that wait come along: one pass reads the weights of keys and values
      SegmentState s = first.text().at(g);
      fillExit(g, waiting(g, first.text(), first.end() - Kernels.ROW_STABLE));
      int from = s.exitDone;
      s.exitDone = first.end();
      return exit.advance(ops, s.outputs.rows(from, first.end()), s.exitCache, from);
    }
    List<Rows> before = new ArrayList<>();
    for (Rows r : rows) {
      before.addAll(waiting(g, r.text(), r.first()));
    }
    fillExit(g, before);
    Tensor x = gather(rows, r -> r.text().at(g).outputs.rows(r.first(), r.end()));
    rows.forEach(r -> r.text().at(g).exitDone = r.end());
    return exit.advance(ops, x, cached(rows, s -> s.at(g).exitCache));
  }

  /** Rows up to position {@code end} that the own layer of an exit lacks; none or one range. */
  static List<Rows> waiting(Segment g, SequenceState text, int end) {
    SegmentState s = text.at(g);
    return s.exitCache == null || s.exitDone >= end
        ? List.of()
        : List.of(new Rows(text, s.exitDone, end));
  }

  /** Keys and values of that layer, for rows about which the exit is not asked. */
  void fillExit(Segment g, List<Rows> rows) {
    for (List<Rows> pass : passes(rows)) {
      Tensor x = gather(pass, r -> r.text().at(g).outputs.rows(r.first(), r.end()));
      g.exit().orElseThrow().fill(ops, x, cached(pass, s -> s.at(g).exitCache));
      pass.forEach(r -> r.text().at(g).exitDone = r.end());
    }
  }

  /** Where rows are in the caches of layer {@code layer}. */
  static List<CachedRows> cached(List<Rows> pass, int layer) {
    return cached(pass, s -> s.sequence().cache(layer));
  }

  /** Where rows are in caches of their texts. */
  static List<CachedRows> cached(List<Rows> pass, Function<SequenceState, KvCache> cache) {
    List<CachedRows> list = new ArrayList<>(pass.size());
    for (Rows r : pass) {
      list.add(new CachedRows(cache.apply(r.text()), r.first(), r.count()));
    }
    return list;
  }

  /** Cut so that each pass is full, but for the last. */
  private List<List<Rows>> passes(List<Rows> rows) {
    List<List<Rows>> passes = new ArrayList<>();
    int room = 0;
    for (Rows r : rows) {
      for (int first = r.first(); first < r.end(); ) {
        if (room == 0) {
          passes.add(new ArrayList<>());
          room = most;
        }
        int end = Math.min(r.end(), first + room);
        passes.getLast().add(new Rows(r.text(), first, end));
        room -= end - first;
        first = end;
      }
    }
    return passes;
  }

  /** States of rows one after the other, {@code [1, R, C]}. */
  Tensor gather(List<Rows> rows, Place place) {
    return gather(rows.stream().map(place::of).toList());
  }

  /** States one after the other, {@code [1, R, C]}. */
  Tensor gather(List<Tensor> states) {
    if (states.size() == 1) {
      return states.getFirst();
    }
    int count = states.stream().mapToInt(Sequence::count).sum();
    Tensor all = ops.empty(DType.F32, Shape.of(1, count, decoder.config().hidden()));
    int row = 0;
    for (Tensor x : states) {
      int end = row + Sequence.count(x);
      ops.kernels().copy(x.span(), Sequence.rows(all, row, end).span());
      row = end;
    }
    return all;
  }
}
