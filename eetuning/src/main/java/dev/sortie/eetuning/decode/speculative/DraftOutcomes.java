package dev.sortie.eetuning.decode.speculative;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Follows drafts while the text grows, also those that were not verified, so that each source is
 * known by all that it offers: whether to listen to it again costs no pass to find out.
 */
final class DraftOutcomes {
  private final DraftLength lengths;
  private final List<Trial> open = new ArrayList<>();

  /** A draft for positions {@code start ..}, of which {@code limit} tokens were asked. */
  private record Trial(int source, Draft draft, int start, int limit) {}

  DraftOutcomes(DraftLength lengths) {
    this.lengths = lengths;
  }

  /** Begins to follow a draft. */
  void open(int source, Draft draft, int start, int limit) {
    if (draft.length() == 0) {
      lengths.compared(source, draft.kind(), 0, true);
    } else {
      open.add(new Trial(source, draft, start, limit));
    }
  }

  /** The token at {@code position} was chosen. */
  void chosen(int position, int token) {
    for (Iterator<Trial> i = open.iterator(); i.hasNext(); ) {
      Trial t = i.next();
      int index = position - t.start;
      boolean right = t.draft.tokens()[index] == token;
      boolean end = index + 1 == t.draft.length();
      if (!right) {
        lengths.compared(t.source, t.draft.kind(), index, true);
        lengths.compared(t.source, t.draft, index);
      } else if (end) {
        lengths.compared(t.source, t.draft.kind(), index + 1, index + 1 < t.limit);
        lengths.compared(t.source, t.draft, index + 1);
      }
      if (!right || end) {
        i.remove();
      }
    }
  }

  /** The text does not continue from here. */
  void forget() {
    open.clear();
  }
}
