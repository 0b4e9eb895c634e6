package dev.sortie.eetuning.decode.grammar;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * The states of a grammar: each rule is a graph from its start to its end, whose edges read a byte,
 * read a text of a rule, or read nothing. Bytes that no edge tells apart are one class.
 *
 * <p>A text within a rule that was called has a stack of the states where its callers continue; a
 * call in the last place of a rule needs no such frame. {@link #frames} says how many frames the
 * rest of a rule needs at least, so that a text is only led where it can end with a stack of {@link
 * #MOST_FRAMES}.
 */
final class Automaton {
  /** Frames of a stack at most: how deep a text may be nested. */
  static final int MOST_FRAMES = 128;

  /** The label of an edge that reads nothing. */
  static final int NOTHING = -1;

  private static final int NEVER = Integer.MAX_VALUE / 2;

  private final int[] firstEdge;
  private final int[] sources;
  private final int[] labels;
  private final int[] targets;
  private final int[] starts;
  private final boolean[] ends;

  /** Whether nothing is left of a rule but its end. */
  private final boolean[] last;

  private final int[] frames;
  private final int[] nullable;
  private final byte[] classes = new byte[256];
  private final int root;
  private final Beginnings beginnings;
  private int classCount;

  /** The label of an edge that reads a byte from the one to the other. */
  static int bytes(int first, int last) {
    return first << 8 | last;
  }

  /** The label of an edge that reads a text of a rule. */
  static int call(int rule) {
    return -2 - rule;
  }

  /**
   * @param edges from, label, to
   * @param starts state where each rule begins
   * @param ends state where each rule ends
   * @param root the rule that is meant
   */
  Automaton(Grammar grammar, int states, List<int[]> edges, int[] starts, int[] ends, int root) {
    this.starts = starts;
    this.root = root;
    this.ends = new boolean[states];
    for (int end : ends) {
      this.ends[end] = true;
    }
    firstEdge = new int[states + 1];
    edges.forEach(e -> firstEdge[e[0] + 1]++);
    Arrays.parallelPrefix(firstEdge, Integer::sum);
    sources = new int[edges.size()];
    labels = new int[edges.size()];
    targets = new int[edges.size()];
    int[] next = firstEdge.clone();
    for (int[] e : edges) {
      int at = next[e[0]]++;
      sources[at] = e[0];
      labels[at] = e[1];
      targets[at] = e[2];
    }
    classify();
    last = new boolean[states];
    for (int s = 0; s < states; s++) {
      last[s] = isLast(s);
    }
    frames = least(true);
    nullable = least(false);
    beginnings =
        Beginnings.of(
            this,
            rule -> {
              String name = List.copyOf(grammar.rules().keySet()).get(rule);
              return new InputException(
                  "%s: rule %s begins with itself, so nothing is ever read; write repetitions as in list ::= item (\",\" item)*"
                      .formatted(grammar.origin(), Printable.value(name)));
            });
    if (frames[starts[root]] > MOST_FRAMES) {
      throw new InputException(
          "%s: no text ends: rule %s needs itself, or more than %d others, within each of its texts"
              .formatted(grammar.origin(), Printable.value(grammar.root()), MOST_FRAMES));
    }
  }

  private void classify() {
    boolean[] begins = new boolean[257];
    for (int label : labels) {
      if (label >= 0) {
        begins[label >> 8] = true;
        begins[(label & 0xFF) + 1] = true;
      }
    }
    int current = 0;
    for (int b = 0; b < 256; b++) {
      current += begins[b] && b > 0 ? 1 : 0;
      classes[b] = (byte) current;
    }
    classCount = current + 1;
    for (int e = 0; e < labels.length; e++) {
      if (labels[e] >= 0) {
        labels[e] = bytes(classOf(labels[e] >> 8), classOf(labels[e] & 0xFF));
      }
    }
  }

  /** Edges that read nothing lead to the end, and there are no others; not where they go round. */
  private boolean isLast(int state) {
    int at = state;
    for (int i = 0; i < 4; i++) {
      int edges = firstEdge[at + 1] - firstEdge[at];
      if (edges == 0) {
        return ends[at];
      }
      if (edges > 1 || ends[at] || labels[firstEdge[at]] != NOTHING) {
        return false;
      }
      at = targets[firstEdge[at]];
    }
    return false;
  }

  /**
   * Frames that each state needs at least up to the end of its rule, by the shortest way; {@link
   * #NEVER} where there is none.
   *
   * @param reads whether bytes may be read on the way
   */
  private int[] least(boolean reads) {
    int[] firstNeeding = new int[ends.length + 1];
    forEachNeed((state, _) -> firstNeeding[state + 1]++);
    Arrays.parallelPrefix(firstNeeding, Integer::sum);
    int[] next = firstNeeding.clone();
    int[] needing = new int[firstNeeding[ends.length]];
    forEachNeed((state, edge) -> needing[next[state]++] = edge);
    int[] least = new int[ends.length];
    Arrays.fill(least, NEVER);
    Deque<Integer> changed = new ArrayDeque<>();
    for (int s = 0; s < ends.length; s++) {
      if (ends[s]) {
        least[s] = 0;
        changed.add(s);
      }
    }
    while (!changed.isEmpty()) {
      int state = changed.poll();
      for (int i = firstNeeding[state]; i < firstNeeding[state + 1]; i++) {
        int edge = needing[i];
        int now = least(edge, least, reads);
        if (now < least[sources[edge]]) {
          least[sources[edge]] = now;
          changed.add(sources[edge]);
        }
      }
    }
    return least;
  }

  private interface Need {
    /** What an edge needs depends on what a state needs. */
    void of(int state, int edge);
  }

  private void forEachNeed(Need need) {
    for (int e = 0; e < labels.length; e++) {
      need.of(targets[e], e);
      if (calls(e)) {
        need.of(start(e), e);
      }
    }
  }

  private int least(int edge, int[] least, boolean reads) {
    int behind = least[targets[edge]];
    if (calls(edge)) {
      int within = least[start(edge)];
      return isTail(edge) ? within : Math.max(within + 1, behind);
    }
    return reads || labels[edge] == NOTHING ? behind : NEVER;
  }

  Beginnings beginnings() {
    return beginnings;
  }

  int rules() {
    return starts.length;
  }

  int root() {
    return root;
  }

  /** Where a rule begins. */
  int startOf(int rule) {
    return starts[rule];
  }

  int classOf(int unsignedByte) {
    return classes[unsignedByte] & 0xFF;
  }

  int classes() {
    return classCount;
  }

  /** The first edge of a state; those up to the first of the next state are its own. */
  int firstEdge(int state) {
    return firstEdge[state];
  }

  int target(int edge) {
    return targets[edge];
  }

  /** Whether an edge reads nothing, or a text of a rule that may be empty. */
  boolean mayReadNothing(int edge) {
    return labels[edge] == NOTHING || labels[edge] < NOTHING && isNullable(start(edge));
  }

  boolean calls(int edge) {
    return labels[edge] < NOTHING;
  }

  boolean reads(int edge) {
    return labels[edge] >= 0;
  }

  boolean reads(int edge, int byteClass) {
    int label = labels[edge];
    return label >= 0 && label >> 8 <= byteClass && byteClass <= (label & 0xFF);
  }

  /** The rule that an edge calls. */
  int rule(int edge) {
    return -2 - labels[edge];
  }

  private int start(int edge) {
    return starts[rule(edge)];
  }

  boolean isEnd(int state) {
    return ends[state];
  }

  /** Whether nothing is left of the rule after an edge. */
  boolean isTail(int edge) {
    return last[targets[edge]];
  }

  /** Frames that the rest of the rule needs at least. */
  int frames(int state) {
    return frames[state];
  }

  /** Whether the rest of the rule may be empty. */
  boolean isNullable(int state) {
    return nullable[state] < NEVER;
  }
}
