package dev.sortie.tensor.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.kernel.tile.QuantisedRow;
import dev.sortie.tensor.kernel.tile.TileForm;
import dev.sortie.tensor.kernel.tile.TilePacking;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;

/**
 * Reference products with weights in tiles. Unlike the other reference kernels, those that round x
 * or have few rows compute in F32, in the order of the vector kernels, whose bits they have.
 */
final class ScalarTiles {
  /** Weight rows a tile; any even number would do. */
  private static final int LANES = 8;

  /** What an F16 is read as, see {@link QuantisedRow#SCALE}. */
  private static final float HALF_SCALE = 0x1p-112f;

  private final TileType type;
  private final TileForm form;
  private final int k;

  /** Bytes from a value of a lane to the next one. */
  private final long step;

  /** A row of x: its rounded elements, and of each group the scaled step and the sum. */
  private final int[] x;

  private final float[] steps;
  private final int[] sums;

  /** Of a form that does not round: the scaled elements, and of each group the sum. */
  private final float[] scaledX;

  private final float[] scaledSums;

  private ScalarTiles(TiledWeight w) {
    this.type = w.type();
    this.form = type.form();
    this.k = w.k();
    this.step = 2L * w.lanes();
    int groups = k / form.group();
    this.x = new int[k];
    this.steps = new float[groups];
    this.sums = new int[groups];
    this.scaledX = new float[k];
    this.scaledSums = new float[groups];
  }

  static TiledWeight tile(KernelQuery.Tile call) {
    TiledWeight tiles = call.allocate(LANES);
    new TilePacking(call.w(), tiles).run(0, TiledWeight.tiles(call.n(), LANES));
    return tiles;
  }

  static void linears(MatrixCall.TiledLinears call) {
    for (TiledProjection p : call.projections()) {
      if (call.m() > Kernels.ROW_STABLE && !p.w().type().anyRows()) {
        exact(call, p);
        continue;
      }
      ScalarTiles product = new ScalarTiles(p.w());
      for (int i = 0; i < call.m(); i++) {
        product.round(call.x(), (long) i * call.k());
        for (int j = 0; j < p.w().n(); j++) {
          float sum = product.dot(p.w(), j) * QuantisedRow.UNSCALE;
          float bias = p.bias() == null ? 0 : (float) p.bias().get(j);
          p.y().set((long) i * p.w().n() + j, p.bias() == null ? sum : sum + bias);
        }
      }
    }
  }

  /** The product of many rows: that with the decoded weight. */
  private static void exact(MatrixCall.TiledLinears call, TiledProjection p) {
    int n = p.w().n();
    ScalarTiles weight = new ScalarTiles(p.w());
    double[] rows = ScalarRows.load(call.x(), 0, Math.multiplyExact(call.m(), call.k()));
    double[] row = new double[call.k()];
    for (int j = 0; j < n; j++) {
      weight.decode(p.w(), j, row);
      double bias = p.bias() == null ? 0 : p.bias().get(j);
      for (int i = 0; i < call.m(); i++) {
        double sum = ScalarRows.dot(rows, i * call.k(), row, 0, call.k());
        p.y().set((long) i * n + j, sum + bias);
      }
    }
  }

  /** The elements of weight row {@code j}, with the bits that blocks give. */
  private void decode(TiledWeight w, int j, double[] row) {
    MemorySegment tiles = w.values().readOnly();
    long word = row(w, j) + w.place(j % w.lanes());
    long at = scales(w, j);
    int group = form.group();
    int zero = type.zero();
    for (int first = 0; first < k; ) {
      float d = Float.float16ToFloat(tiles.get(JAVA_SHORT_UNALIGNED, at));
      float min =
          type.minima() ? Float.float16ToFloat(tiles.get(JAVA_SHORT_UNALIGNED, at + step)) : -0f;
      at += type.head() * step;
      for (int end = first + type.dtype().block(); first < end; first += group) {
        float dg = d;
        float mg = min;
        if (type.scaled()) {
          int scales = tiles.get(JAVA_SHORT_UNALIGNED, at);
          at += step;
          dg = d * (type.minima() ? scales & 0xff : scales);
          mg = type.minima() ? min * (scales >> 8 & 0xff) : min;
        }
        for (int i = 0; i < group; i++) {
          row[first + i] = Math.fma((float) (level(tiles, word, i) - zero), dg, mg);
        }
        word += form.words() * step;
      }
    }
  }

  /** Where the tile of weight row {@code j} begins. */
  private static long row(TiledWeight w, int j) {
    return j / w.lanes() * w.tileBytes();
  }

  /** Where the scales of weight row {@code j} begin. */
  private static long scales(TiledWeight w, int j) {
    return row(w, j) + w.wordBytes() + 2L * TiledWeight.lane(j % w.lanes(), w.lanes());
  }

  /** Level {@code i} of a group whose words begin at byte {@code at}. */
  private int level(MemorySegment tiles, long at, int i) {
    if (form == TileForm.BYTES) {
      return tiles.get(JAVA_BYTE, at + i / 4 * 2 * step + i % 4) & 0xff;
    }
    int level = 0;
    for (TileForm.Part part : form.parts(i)) {
      level |= part.of(tiles.get(JAVA_SHORT_UNALIGNED, at + part.word() * step));
    }
    return level;
  }

  /** Takes the row of x that starts at an element. */
  private void round(Span from, long at) {
    int group = form.group();
    for (int g = 0; g < steps.length; g++) {
      float[] parts = new float[4];
      for (int i = 0; i < group; i++) {
        parts[i % 4] += Math.abs((float) from.get(at + g * group + i));
      }
      float sum = (parts[0] + parts[1]) + (parts[2] + parts[3]);
      if (!form.rounds()) {
        scale(from, at, g, sum);
        continue;
      }
      float inverse = QuantisedRow.inverse(form, sum);
      sums[g] = 0;
      for (int i = g * group; i < (g + 1) * group; i++) {
        float shifted = (float) from.get(at + i) * inverse + QuantisedRow.MAGIC;
        x[i] = Float.floatToRawIntBits(shifted) - QuantisedRow.MAGIC_BITS;
        sums[g] += x[i];
      }
      steps[g] = QuantisedRow.step(form, sum) * QuantisedRow.SCALE;
    }
  }

  /** Takes a group that is not rounded. */
  private void scale(Span from, long at, int g, float sum) {
    float scale = QuantisedRow.scale(sum);
    float[] parts = new float[4];
    for (int i = 0; i < form.group(); i++) {
      float value = (float) from.get(at + g * form.group() + i);
      parts[i % 4] += value;
      scaledX[g * form.group() + i] = value * (scale * QuantisedRow.place(i));
    }
    scaledSums[g] = ((parts[0] + parts[1]) + (parts[2] + parts[3])) * scale;
  }

  /** The scaled product with weight row {@code j}. */
  private float dot(TiledWeight w, int j) {
    MemorySegment tiles = w.values().readOnly();
    long word = row(w, j) + w.place(j % w.lanes());
    long at = scales(w, j);
    float f = 0;
    for (int g = 0; g < steps.length; ) {
      float d = Float.float16ToFloat(tiles.get(JAVA_SHORT_UNALIGNED, at)) * HALF_SCALE;
      float min = 0;
      if (type.minima()) {
        min = Float.float16ToFloat(tiles.get(JAVA_SHORT_UNALIGNED, at + step)) * HALF_SCALE;
      }
      at += type.head() * step;
      float scaled = 0;
      float minima = 0;
      for (int end = g + type.groups(); g < end; g++) {
        int scales = type.scaled() ? tiles.get(JAVA_SHORT_UNALIGNED, at) : 0;
        at += type.scaled() ? step : 0;
        if (!form.rounds()) {
          f = Math.fma(floatSum(tiles, word, g), type.scaled() ? d * scales : d, f);
          word += form.words() * step;
          continue;
        }
        int sum = sum(tiles, word, g);
        word += form.words() * step;
        if (!type.scaled()) {
          f = Math.fma((float) sum, d * steps[g], f);
          f = type.minima() ? Math.fma(min, sums[g] * steps[g], f) : f;
          continue;
        }
        int scale = type.minima() ? scales & 0xff : scales;
        scaled = Math.fma((float) sum, scale * steps[g], scaled);
        if (type.minima()) {
          minima = Math.fma((float) (scales >> 8 & 0xff), sums[g] * steps[g], minima);
        }
      }
      if (type.scaled() && form.rounds()) {
        f = Math.fma(scaled, d, f);
        f = type.minima() ? Math.fma(minima, min, f) : f;
      }
    }
    return f;
  }

  /** The sum over a group that is not rounded, whose words begin at byte {@code at}. */
  private float floatSum(MemorySegment tiles, long at, int g) {
    float sum = -form.centre() * scaledSums[g];
    for (int i = 0; i < form.group(); i++) {
      float level = level(tiles, at, i) / QuantisedRow.place(i);
      sum = Math.fma(level, scaledX[g * form.group() + i], sum);
    }
    return sum;
  }

  /** The exact sum over a group whose words begin at byte {@code at}. */
  private int sum(MemorySegment tiles, long at, int g) {
    int centre = form.centre();
    int sum = 0;
    for (int i = 0; i < form.group(); i++) {
      sum += (level(tiles, at, i) - centre) * x[g * form.group() + i];
    }
    return type.minima() ? sum + centre * sums[g] : sum;
  }
}
