package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tokens that a sequence in a pool reads next of its prompt: a chunk that was chosen but is not
 * yet taken out of the prompt. {@link ChunkedPrefill} says where it may end; {@link BatchDecoder}
 * makes it a {@link dev.sortie.eetuning.decode.pass.PromptChunk}, which layers read.
 *
 * @param from position of the first of them
 * @param to position after the last of them
 */
record ScheduledChunk(BatchSequence sequence, int from, int to) {

  /**
   * The next chunk of a prompt.
   *
   * @param most tokens of it, at least {@value ChunkedPrefill#LEAST}
   */
  static ScheduledChunk of(BatchSequence s, int most) {
    int length = s.pages().prompt().length;
    int from = s.position();
    if (from >= length || most < ChunkedPrefill.LEAST) {
      throw new IllegalArgumentException(
          from + " of " + length + " tokens were read, and " + most + " more are asked for");
    }
    return new ScheduledChunk(s, from, ChunkedPrefill.end(from, length, most));
  }

  /**
   * Chunks for one pass: that of the first sequence, and of those after it as many as the pass has
   * room for. A pass has either chunks of more than {@link Kernels#ROW_STABLE} tokens or as many
   * tokens at most, so that each chunk has the bits that it has alone. Who sees the states of a
   * prompt sees them in a pass of its own, which then fails or succeeds as a whole.
   *
   * @param inTurn at least one, whose prompts were not read to the end
   * @param most tokens of all chunks, at least {@value ChunkedPrefill#LEAST}
   */
  static List<ScheduledChunk> pass(List<BatchSequence> inTurn, int most) {
    ScheduledChunk first = of(inTurn.getFirst(), most);
    List<ScheduledChunk> chunks = new ArrayList<>(List.of(first));
    if (first.sequence.states().isPresent()) {
      return chunks;
    }
    int room = (first.isShort() ? Kernels.ROW_STABLE : most) - first.tokens();
    for (BatchSequence s : inTurn.subList(1, inTurn.size())) {
      int left = s.pages().prompt().length - s.position();
      if (chunks.size() == Kernels.ROW_STABLE || s.states().isPresent()) {
        break;
      }
      if (left > room && (first.isShort() || room < ChunkedPrefill.LEAST)) {
        continue;
      }
      ScheduledChunk next = of(s, Math.max(room, ChunkedPrefill.LEAST));
      if (next.isShort() == first.isShort()) {
        chunks.add(next);
        room -= next.tokens();
      }
    }
    return chunks;
  }

  private boolean isShort() {
    return tokens() <= Kernels.ROW_STABLE;
  }

  /** How many tokens. */
  int tokens() {
    return to - from;
  }

  /** The tokens. */
  int[] ids() {
    return Arrays.copyOfRange(sequence.pages().prompt(), from, to);
  }

  /** Whether they end the prompt. */
  boolean end() {
    return to == sequence.pages().prompt().length;
  }
}
