package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.pass.PrefillChunks;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The next tokens that a sequence in a pool reads of its prompt.
 *
 * @param from position of the first of them
 * @param to position behind the last of them
 */
record PromptPiece(BatchSequence sequence, int from, int to) {

  /**
   * The next piece of a prompt.
   *
   * @param most tokens of it, at least {@value PrefillChunks#LEAST}
   */
  static PromptPiece of(BatchSequence s, int most) {
    int length = s.pages().prompt().length;
    int from = s.position();
    if (from >= length || most < PrefillChunks.LEAST) {
      throw new IllegalArgumentException(
          from + " of " + length + " tokens were read, and " + most + " more are asked for");
    }
    return new PromptPiece(s, from, PrefillChunks.end(from, length, most));
  }

  /**
   * Pieces for one pass: that of the first sequence, and of those behind it as many as the pass has
   * room for. A pass has either pieces of more than {@link Kernels#ROW_STABLE} tokens or as many
   * tokens at most, so that each piece has the bits that it has alone. Who sees the states of a
   * prompt sees them in a pass of its own, which then fails or succeeds as a whole.
   *
   * @param inTurn at least one, whose prompts were not read to the end
   * @param most tokens of all pieces, at least {@value PrefillChunks#LEAST}
   */
  static List<PromptPiece> pass(List<BatchSequence> inTurn, int most) {
    PromptPiece first = of(inTurn.getFirst(), most);
    List<PromptPiece> pieces = new ArrayList<>(List.of(first));
    if (first.sequence.states().isPresent()) {
      return pieces;
    }
    int room = (first.isShort() ? Kernels.ROW_STABLE : most) - first.tokens();
    for (BatchSequence s : inTurn.subList(1, inTurn.size())) {
      int left = s.pages().prompt().length - s.position();
      if (pieces.size() == Kernels.ROW_STABLE || s.states().isPresent()) {
        break;
      }
      if (left > room && (first.isShort() || room < PrefillChunks.LEAST)) {
        continue;
      }
      PromptPiece next = of(s, Math.max(room, PrefillChunks.LEAST));
      if (next.isShort() == first.isShort()) {
        pieces.add(next);
        room -= next.tokens();
      }
    }
    return pieces;
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
