package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Finds how few layers a token of a text needs, whichever layers these are.
 *
 * <p>Definition. A token that runs a set of layers passes the others with its hidden state
 * unchanged; the final norm and head read it in the end. In each layer of the set it attends to the
 * keys and values of the tokens before it, which all had full depth, and to its own.
 *
 * <p>Sets grow by one layer at a time. The cell {@code (i, k)} has sets of {@code k} of the first
 * {@code i} layers: those of {@code (i - 1, k)}, and those of {@code (i - 1, k - 1)} with layer
 * {@code i}, so each set costs one layer. A cell keeps the {@code width} sets whose state is
 * closest to full depth's after layer {@code i}. If no cell ever had more, all sets were tried and
 * the result is exact; otherwise a token may need fewer layers than found.
 */
final class LayerSetSearch implements AutoCloseable {
  private final Decoder decoder;
  private final Sequence sequence;
  private final int layers;
  private final int width;
  private boolean exact = true;

  /**
   * A search in texts of some length.
   *
   * @param capacity tokens of a text at most
   * @param width sets that a cell keeps, 1 and more
   */
  LayerSetSearch(LanguageModel model, Device device, int capacity, int width) {
    this.decoder = model.decoder();
    this.sequence = new Sequence(decoder, capacity, device);
    this.layers = decoder.config().layers();
    this.width = width;
  }

  /** Whether all sets were tried so far, of no more layers than found. */
  boolean isExact() {
    return exact;
  }

  /**
   * The fewest layers for each predicted token of a text.
   *
   * @param r the text and what full depth chooses
   * @param below only sets of fewer layers are tried, for each token; what is returned where none
   *     of them chooses the token
   */
  int[] fewest(TokenReadings r, int[] below) {
    int[] found = new int[r.tokens()];
    for (int p = 0; p + 1 < r.text().length; p++) {
      float[][] full = full(r.text()[p], p);
      int token = p + 1 - r.given();
      if (token >= 0) {
        found[token] = fewest(full, p, r.last().choices()[token], below[token]);
        full(r.text()[p], p); // its own keys and values again, for the tokens after it
      }
    }
    return found;
  }

  /** The states of a token at all depths from 0 on. */
  private float[][] full(int token, int position) {
    float[][] states = new float[layers + 1][];
    states[0] = sequence.step(() -> sequence.embed(new int[] {token}, position, 1).toFloats());
    for (int i = 0; i < layers; i++) {
      states[i + 1] = run(i, states[i], position);
    }
    return states;
  }

  private float[] run(int layer, float[] x, int position) {
    return sequence.step(
        () -> sequence.layers(rows(List.of(x)), layer, layer + 1, position).x().toFloats());
  }

  /** States as {@code [1, R, C]}. */
  private Tensor rows(List<float[]> states) {
    int hidden = states.getFirst().length;
    float[] all = new float[states.size() * hidden];
    for (int i = 0; i < states.size(); i++) {
      System.arraycopy(states.get(i), 0, all, i * hidden, hidden);
    }
    return Tensor.of(sequence.ops().workspace(), Shape.of(1, states.size(), hidden), all);
  }

  private int fewest(float[][] full, int position, int choice, int below) {
    List<List<float[]>> cells = new ArrayList<>();
    for (int i = 0; i <= layers; i++) {
      cells.add(List.of(full[0]));
    }
    for (int count = 0; count < below; count++) {
      if (count > 0) {
        cells = oneMore(cells, full, position, count);
      }
      if (anyChooses(cells.get(layers), choice)) {
        return count;
      }
    }
    return below;
  }

  /** Cells of {@code count} layers, by depth, from those of one less. */
  private List<List<float[]>> oneMore(
      List<List<float[]>> fewer, float[][] full, int position, int count) {
    List<List<float[]>> cells = new ArrayList<>();
    for (int i = 0; i <= layers; i++) {
      List<float[]> cell = new ArrayList<>();
      if (i >= count) {
        cell.addAll(cells.get(i - 1));
        for (float[] x : fewer.get(i - 1)) {
          cell.add(run(i - 1, x, position));
        }
      }
      cells.add(closest(cell, full[i]));
    }
    return cells;
  }

  private List<float[]> closest(List<float[]> states, float[] full) {
    if (states.size() <= width) {
      return states;
    }
    exact = false;
    record Near(float[] state, double distance) {}
    return states.stream()
        .map(x -> new Near(x, distance(x, full)))
        .sorted(Comparator.comparingDouble(Near::distance))
        .limit(width)
        .map(Near::state)
        .toList();
  }

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double d = (double) a[i] - b[i];
      sum += d * d;
    }
    return sum;
  }

  /** In passes of so few rows, each has the bits that it has alone. */
  private boolean anyChooses(List<float[]> states, int choice) {
    for (int from = 0; from < states.size(); from += Kernels.ROW_STABLE) {
      List<float[]> some = states.subList(from, Math.min(states.size(), from + Kernels.ROW_STABLE));
      int[] ids =
          sequence.step(
              () -> TopTokens.of(sequence.ops(), decoder.logits(sequence.ops(), rows(some))).ids());
      if (Arrays.stream(ids).anyMatch(id -> id == choice)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    sequence.close();
  }
}
