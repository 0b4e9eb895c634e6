package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.pass.LayerPasses.Rows;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One pass of prefill: takes {@link PromptChunk}s through layers, of one text or of several, so
 * that weights are read once for all. Kernels give a row one set of bits in passes of up to {@link
 * Kernels#ROW_STABLE} rows and another in larger ones. So either every chunk has more rows than
 * that or all together have no more: then each chunk has the bits that it has in a pass of its own.
 */
final class PrefillPass {
  private final Decoder decoder;
  private final Ops ops;
  private final LayerPasses passes;
  private final LayerStack stack;

  PrefillPass(Decoder decoder, Ops ops, LayerPasses passes) {
    this.decoder = decoder;
    this.ops = ops;
    this.passes = passes;
    this.stack = new LayerStack(decoder, ops);
  }

  /** What the first layer reads, {@code [1, R, C]}. */
  Tensor embed(List<PromptChunk> chunks) {
    int[] ids = chunks.stream().flatMapToInt(c -> Arrays.stream(c.tokens())).toArray();
    int[] at = new int[ids.length];
    int row = 0;
    for (PromptChunk c : chunks) {
      c.text().sequence().requireRoom(c.text().position() + c.tokens().length);
      for (int i = 0; i < c.tokens().length; i++) {
        at[row++] = c.text().position() + i;
      }
    }
    Tensor x = decoder.embed(ops, Tensor.ids(ops.workspace(), Shape.of(ids.length, 1), ids), at);
    return Sequence.rows(x, 0, ids.length);
  }

  /**
   * Through segments of layers.
   *
   * @param x what the first of them reads, {@code [1, R, C]}
   * @return what comes to an outlet, {@code [1, R, C]}; else the final hidden states of the last
   *     tokens of prompts that end, {@code [1, E, C]}, or null where none does
   */
  Tensor run(List<PromptChunk> chunks, List<Segment> segments, Tensor x) {
    check(chunks);
    List<Rows> rows = new ArrayList<>(chunks.size());
    for (PromptChunk c : chunks) {
      int position = c.text().position();
      c.text().tokens.read(ops, position, c.tokens());
      rows.add(new Rows(c.text(), position, position + c.tokens().length));
    }
    Tensor y = x;
    for (Segment g : segments.subList(0, segments.size() - 1)) {
      y = layers(y, g.from(), g.to(), rows);
      fillExit(g, y, rows);
    }
    Segment last = segments.getLast();
    if (!last.isOutlet()) {
      y = top(chunks, y, last.from(), rows);
    }
    chunks.forEach(c -> c.text().readByAll(c.tokens().length));
    return y;
  }

  private static void check(List<PromptChunk> chunks) {
    int rows = chunks.stream().mapToInt(c -> c.tokens().length).sum();
    boolean many = chunks.stream().allMatch(c -> c.tokens().length > Kernels.ROW_STABLE);
    if (chunks.size() > Kernels.ROW_STABLE || rows > Kernels.ROW_STABLE && !many) {
      throw new IllegalArgumentException(
          "a pass of "
              + chunks.size()
              + " chunks and "
              + rows
              + " rows; a chunk has the bits that it has alone in passes of up to "
              + Kernels.ROW_STABLE
              + " chunks that are all longer than that, or as many rows");
    }
  }

  private Tensor layers(Tensor x, int from, int to, List<Rows> rows) {
    return stack.run(x, from, to, i -> LayerPasses.cached(rows, i)).x();
  }

  private void fillExit(Segment g, Tensor y, List<Rows> rows) {
    List<Rows> asking = new ArrayList<>(rows.size());
    List<Tensor> states = new ArrayList<>(rows.size());
    int row = 0;
    for (Rows r : rows) {
      if (r.text().at(g).exitCache != null) {
        asking.add(r);
        states.add(Sequence.rows(y, row, row + r.count()));
      }
      row += r.count();
    }
    if (!asking.isEmpty()) {
      g.exit()
          .orElseThrow()
          .fill(ops, passes.gather(states), LayerPasses.cached(asking, s -> s.at(g).exitCache));
    }
  }

  /**
   * Of the last layer's results only those of the prompts' last tokens are ever read; all others
   * leave just their keys and values.
   */
  private Tensor top(List<PromptChunk> chunks, Tensor x, int from, List<Rows> rows) {
    int top = decoder.layers().size() - 1;
    Tensor below = layers(x, from, top, rows);
    if (chunks.stream().anyMatch(c -> c.states().isPresent())) {
      // and once more below for the last ones, so that answers have the bits they always have
      tellStates(chunks, layers(below, top, top + 1, rows));
    }
    DecoderLayer layer = decoder.layers().get(top);
    layer.fill(ops, below, decoder.rope(), LayerPasses.cached(rows, top));
    List<Rows> last = new ArrayList<>(chunks.size());
    List<Tensor> ends = new ArrayList<>(chunks.size());
    int row = 0;
    for (PromptChunk c : chunks) {
      row += c.tokens().length;
      if (c.end()) {
        int end = c.text().position() + c.tokens().length;
        last.add(new Rows(c.text(), end - 1, end));
        ends.add(Sequence.rows(below, row - 1, row));
      }
    }
    if (ends.isEmpty()) {
      return null;
    }
    Tensor a =
        layer.attendFilled(ops, passes.gather(ends), decoder.rope(), LayerPasses.cached(last, top));
    return layer.feedForward(ops, a);
  }

  private void tellStates(List<PromptChunk> chunks, Tensor states) {
    int row = 0;
    for (PromptChunk c : chunks) {
      Tensor own = Sequence.rows(states, row, row + c.tokens().length);
      c.states().ifPresent(s -> s.read(ops, c.text().position(), own));
      row += c.tokens().length;
    }
  }
}
