package dev.sortie.opencl;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The cuts that a tuner may choose from: a list for each {@link Family} and kind of device, its
 * usual cut first. What the names mean:
 *
 * <ul>
 *   <li>{@code WG}: work-items that share a row, a power of two; {@code VW}: floats that a
 *       work-item takes at once, 4, 8 or 16; {@code OUTPUTS}: rows of a weight that a group
 *       multiplies at once.
 *   <li>{@code TILE_ROWS} × {@code PANEL}: the part of a product that a work-item has in registers;
 *       {@code PANEL} is a multiple of 16.
 *   <li>{@code TX} × {@code TY}: work-items of a tile in local memory, of which each has {@code
 *       PART_M} × {@code PART_N} elements; {@code TILE_K}: how deep the tile is.
 * </ul>
 */
final class Spaces {
  private static final int[][] CPU_ROWS = {{1, 16}, {1, 8}, {1, 4}};

  /** As in {@link #weights}: WG, VW, OUTPUTS. */
  private static final int[][] CPU_WEIGHTS = {
    {1, 16, 4}, {1, 16, 1}, {1, 16, 2}, {1, 16, 8}, {1, 8, 4}, {1, 8, 8}
  };

  private static final int[][] CPU_BLOCKS = {{1, 16, 4}, {1, 16, 1}, {1, 16, 2}, {1, 16, 8}};

  /** TILE_ROWS, PANEL. With 32 registers of 16 floats 14 × 32 is the most that does not spill. */
  private static final int[][] PANELS = {
    {8, 32}, {4, 32}, {6, 32}, {12, 32}, {14, 32}, {4, 48}, {8, 48}, {4, 64}, {6, 64}, {8, 16},
    {14, 16}, {28, 16}
  };

  private static final int[][] GPU_ROWS = {{64, 4}, {32, 4}, {128, 4}, {256, 4}, {64, 8}, {128, 8}};
  private static final int[][] GPU_WEIGHTS = {
    {64, 4, 2},
    {64, 4, 1},
    {64, 4, 4},
    {32, 4, 1},
    {32, 4, 2},
    {32, 4, 4},
    {128, 4, 1},
    {128, 4, 2},
    {32, 8, 2},
    {64, 8, 2}
  };

  /** TX, TY, PART_N, PART_M, TILE_K. */
  private static final int[][] TILES = {
    {16, 16, 4, 4, 16},
    {16, 16, 4, 4, 8},
    {16, 16, 8, 8, 8},
    {16, 16, 8, 8, 16},
    {16, 16, 8, 4, 16},
    {16, 8, 4, 8, 16},
    {16, 8, 8, 8, 16},
    {8, 8, 4, 4, 16},
    {8, 8, 8, 8, 16},
    {32, 8, 4, 8, 16}
  };

  private Spaces() {}

  /**
   * For a processor: one work-item per group with vectors, since barriers would split its loops.
   */
  static Map<Family, List<Cut>> cpu() {
    Map<Family, List<Cut>> spaces = new EnumMap<>(Family.class);
    spaces.put(Family.ROWS, rows(CPU_ROWS, 1));
    spaces.put(Family.ATTENTION, rows(CPU_ROWS, 1));
    spaces.put(Family.WEIGHTS, weights(CPU_WEIGHTS, 1));
    spaces.put(Family.BLOCKS, weights(CPU_BLOCKS, 1));
    List<Cut> panels = new ArrayList<>();
    for (int[] p : PANELS) {
      panels.add(new Cut(Map.of("TILE_ROWS", p[0], "PANEL", p[1])));
    }
    spaces.put(Family.MATRIX, panels);
    return spaces;
  }

  /**
   * For a graphics card.
   *
   * @param most work-items of a group at most
   * @param localMemory bytes of local memory
   */
  static Map<Family, List<Cut>> gpu(int most, long localMemory) {
    Map<Family, List<Cut>> spaces = new EnumMap<>(Family.class);
    spaces.put(Family.ROWS, rows(GPU_ROWS, most));
    spaces.put(Family.ATTENTION, rows(GPU_ROWS, most));
    spaces.put(Family.WEIGHTS, weights(GPU_WEIGHTS, most));
    spaces.put(Family.BLOCKS, weights(GPU_WEIGHTS, most));
    spaces.put(Family.MATRIX, tiles(most, localMemory));
    return spaces;
  }

  private static List<Cut> rows(int[][] sizes, int most) {
    List<Cut> cuts = new ArrayList<>();
    for (int[] s : sizes) {
      cuts.add(new Cut(Map.of("WG", Math.min(s[0], most), "VW", s[1])));
    }
    return cuts.stream().distinct().toList();
  }

  private static List<Cut> weights(int[][] sizes, int most) {
    List<Cut> cuts = new ArrayList<>();
    for (int[] s : sizes) {
      cuts.add(new Cut(Map.of("WG", Math.min(s[0], most), "VW", s[1], "OUTPUTS", s[2])));
    }
    return cuts.stream().distinct().toList();
  }

  private static List<Cut> tiles(int most, long localMemory) {
    List<Cut> cuts = new ArrayList<>();
    for (int[] t : TILES) {
      int x = t[0];
      int y = t[1];
      while (x * y > most) { // a small device: squares rather than strips
        if (x > y) {
          x /= 2;
        } else {
          y /= 2;
        }
      }
      if (4L * t[4] * (x * t[2] + y * t[3]) <= localMemory) {
        cuts.add(new Cut(Map.of("TX", x, "TY", y, "PART_N", t[2], "PART_M", t[3], "TILE_K", t[4])));
      }
    }
    return cuts.stream().distinct().toList();
  }
}
