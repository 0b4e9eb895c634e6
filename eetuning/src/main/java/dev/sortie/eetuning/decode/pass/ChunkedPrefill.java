package dev.sortie.eetuning.decode.pass;

import dev.sortie.tensor.kernel.Kernels;
import java.util.Arrays;

/**
 * Chunked prefill: where a prompt is cut into chunks that are read one after the other. A {@link
 * PromptChunk} is read by all layers in a {@link PrefillPass}, alone or with those of other texts.
 * Up to {@link Kernels#ROW_STABLE} rows have one set of bits and more rows another, so no chunk is
 * that short unless the whole prompt is: then the size of chunks does not show in any result.
 */
public final class ChunkedPrefill {
  /**
   * Prompt tokens in one pass where nothing else waits: bounds the memory of temporaries, large
   * enough for full matrix speed.
   */
  public static final int USUAL = 512;

  /** Shortest that chunks can be asked to be. */
  public static final int LEAST = 2 * (Kernels.ROW_STABLE + 1);

  /** Reads a chunk of a prompt. */
  @FunctionalInterface
  public interface Reader<T> {
    T read(int[] chunk, boolean end);
  }

  private ChunkedPrefill() {}

  /**
   * Where the chunk from token {@code from} on ends.
   *
   * @param length tokens of the prompt
   * @param most tokens per chunk, at least {@link #LEAST}
   */
  public static int end(int from, int length, int most) {
    int end = from + most;
    if (end >= length) {
      return length;
    }
    return Math.min(end, length - Kernels.ROW_STABLE - 1);
  }

  /** Reads a whole prompt; returns what reading its last chunk gave. */
  public static <T> T each(int[] prompt, Reader<T> reader) {
    T last = null;
    for (int from = 0, to; from < prompt.length; from = to) {
      to = end(from, prompt.length, USUAL);
      last = reader.read(Arrays.copyOfRange(prompt, from, to), to == prompt.length);
    }
    return last;
  }
}
