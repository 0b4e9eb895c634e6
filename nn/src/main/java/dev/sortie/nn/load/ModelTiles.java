package dev.sortie.nn.load;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.TiledKernels;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.memory.Allocator;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * The weights of a decoder that lie in tiles: those in blocks that rows are multiplied with, by the
 * names that {@link DecoderTensors} lists.
 */
public final class ModelTiles {
  private static final String TABLES = "model.embed_";
  private static final String TOKENS = TABLES + "tokens.weight";
  private static final String HEAD = "lm_head.weight";

  private ModelTiles() {}

  /**
   * A device that multiplies in integers with the decoder's weights in blocks. They are put into
   * tiles now, by all threads; pages of mapped files that were read for it are given back.
   *
   * @param where says where a weight of this name comes from, for messages
   * @param needed whether the decoder is used with a weight
   * @param device computes; it is the result itself if there are no such weights
   * @param memory for the tiles
   * @throws InputException if a scale is not finite
   */
  public static Device device(
      Decoder decoder,
      UnaryOperator<String> where,
      Predicate<String> needed,
      Device device,
      Allocator memory) {
    TiledKernels kernels = new TiledKernels(device.kernels());
    boolean any = false;
    for (var weight : decoder.parameters().entrySet()) {
      String name = weight.getKey();
      Tensor w = weight.getValue();
      if (liesInTiles(decoder.config(), needed, name, w.dtype())) {
        add(kernels, w, where.apply(name), memory);
        any = true;
        if (leavesItsPlace(name)) {
          MappedPages.letGo(w.span());
        }
      }
    }
    return any ? new Device(kernels, device.pool()) : device;
  }

  private static void add(TiledKernels kernels, Tensor w, String where, Allocator memory) {
    Shape shape = w.shape();
    try {
      kernels.add(w.span(), shape.size(0), shape.size(1), memory);
    } catch (IllegalArgumentException e) {
      Finite.check(w.span(), where);
      throw e;
    }
  }

  /**
   * Whether a weight does. The embedding's table does only as a tied head: its rows are read one by
   * one from where it is held.
   *
   * @param held its type in memory
   */
  static boolean liesInTiles(
      DecoderConfig config, Predicate<String> needed, String name, DType held) {
    if (TileType.of(held).isEmpty()) {
      return false;
    }
    if (name.equals(config.tiedHead() ? TOKENS : HEAD)) {
      return needed.test(HEAD);
    }
    return !name.startsWith(TABLES) && !name.equals(HEAD) && needed.test(name);
  }

  /** Whether such a weight is read no more where it was: rows of the table are. */
  static boolean leavesItsPlace(String name) {
    return !name.equals(TOKENS);
  }

  /** Bytes of tiles for so many elements. */
  static long bytes(DType held, long elements) {
    TileType type = TileType.of(held).orElseThrow();
    return type.tileBytes(1, held.block()) * (elements / held.block());
  }
}
