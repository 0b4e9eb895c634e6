package dev.sortie.nn.text.unicode;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.SeededKeys;
import it.unimi.dsi.fastutil.ints.Int2IntOpenHashMap;
import it.unimi.dsi.fastutil.longs.Long2IntOpenHashMap;
import java.util.BitSet;

/** Strings by their characters, one edge a character, each with an id. */
public final class CharTrie {
  /** Characters of all strings together: some 200 MB. Real vocabularies have a few million. */
  private static final int MAX_NODES = 1 << 23;

  private final String what;
  private final SeededKeys keys = new SeededKeys();
  private final Long2IntOpenHashMap edges = new Long2IntOpenHashMap();
  private final Int2IntOpenHashMap ends = new Int2IntOpenHashMap();
  private final BitSet starts = new BitSet();

  /**
   * A trie without strings.
   *
   * @param what names file and strings in messages
   */
  public CharTrie(String what) {
    this.what = what;
    ends.defaultReturnValue(-1);
  }

  /**
   * Adds a string; one that is empty is never found.
   *
   * @throws InputException if all strings together are too long
   */
  public void add(String content, int id) {
    int node = 0;
    int known = 0;
    for (int next; known < content.length(); node = next, known++) {
      next = edges.get(edge(node, content.charAt(known)));
      if (next == 0) {
        break;
      }
    }
    if (content.length() - known > MAX_NODES - edges.size()) {
      throw new InputException(
          "%s have more than %d characters together; take another tokenizer"
              .formatted(what, MAX_NODES));
    }
    for (int i = known; i < content.length(); i++) {
      int next = edges.size() + 1;
      edges.put(edge(node, content.charAt(i)), next);
      node = next;
    }
    if (node != 0) {
      starts.set(content.charAt(0));
      ends.put(node, id);
    }
  }

  /** The first position from {@code from} on where a string may begin. */
  public int nextStart(String text, int from) {
    int i = from;
    while (i < text.length() && !starts.get(text.charAt(i))) {
      i++;
    }
    return i;
  }

  /** The node after {@code node} (0 at first) and {@code c}; 0 if no string continues so. */
  public int next(int node, char c) {
    return edges.get(edge(node, c));
  }

  /** The id of the string that ends at {@code node}, or -1. */
  public int id(int node) {
    return ends.get(node);
  }

  /** The longest string that begins at {@code from}, or null. */
  public Match longest(String text, int from, Budget budget) {
    return longest(text, from, budget, (id, end) -> true);
  }

  /** The longest of the strings at {@code from} that are wanted, or null. */
  public Match longest(String text, int from, Budget budget, Wanted wanted) {
    Match found = null;
    int node = 0;
    int i = from;
    while (i < text.length()) {
      node = next(node, text.charAt(i++));
      if (node == 0) {
        break;
      }
      int id = id(node);
      found = id < 0 || !wanted.test(id, i) ? found : new Match(id, i - from);
    }
    budget.steps(i - from);
    return found;
  }

  /** Chooses among strings that were found. */
  @FunctionalInterface
  public interface Wanted {
    /** Whether to take the string with this id, which ends before {@code end}. */
    boolean test(int id, int end);
  }

  /** A string that was found. */
  public record Match(int id, int length) {}

  private long edge(int node, char c) {
    return keys.of((long) node << 16 | c);
  }
}
