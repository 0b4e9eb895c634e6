package dev.sortie.eetuning.decode.batch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Pages of tokens that were read, by what stands in them and before them. A page is found by a hash
 * over all tokens up to its end, and taken only if its own tokens are the same and the page before
 * it is the one that was taken: so a hash that two texts share costs a page read again, and never
 * gives a wrong one. Pages that nobody reads stay until their memory is wanted, the least recently
 * used ones go first.
 */
final class PrefixIndex {
  private final Map<Long, Page> pages = new HashMap<>();
  private long clock;

  /** Pages in a row whose keys and values are of one kind. */
  static final class Page {
    private final long hash;
    private final Page before;
    private final int[] tokens;
    private final int number;
    private int readers;
    private int followers;
    private long used;

    private Page(long hash, Page before, int[] tokens, int number) {
      this.hash = hash;
      this.before = before;
      this.tokens = tokens;
      this.number = number;
    }

    /** What stands before the first token; texts of different kinds share no page. */
    static Page root(int kind) {
      return new Page(kind, null, new int[0], -1);
    }

    private boolean is(Page expected, int[] text) {
      return before == expected && Arrays.equals(tokens, text);
    }

    /** Its number in the pool. */
    int number() {
      return number;
    }
  }

  /** The longest row of known pages of {@code size} tokens that {@code text} begins with. */
  List<Page> find(Page root, int[] text, int size) {
    List<Page> found = new ArrayList<>();
    Page before = root;
    for (int end = size; end <= text.length; end += size) {
      int[] tokens = Arrays.copyOfRange(text, end - size, end);
      Page page = pages.get(hash(before, tokens));
      if (page == null || !page.is(before, tokens)) {
        break;
      }
      found.add(page);
      before = page;
    }
    return found;
  }

  /**
   * Notes what page {@code number} of the pool holds, which its first reader reads from now on.
   *
   * @return the page after which the next is to be noted, and whether the number was noted: it is
   *     not where one with these tokens is known
   */
  Noted note(Page before, int[] tokens, int number) {
    long hash = hash(before, tokens);
    Page known = pages.get(hash);
    if (known != null) {
      return new Noted(known.is(before, tokens) ? Optional.of(known) : Optional.empty(), false);
    }
    Page page = new Page(hash, before, tokens.clone(), number);
    page.readers = 1;
    page.used = ++clock;
    before.followers++;
    pages.put(hash, page);
    return new Noted(Optional.of(page), true);
  }

  /**
   * The outcome of noting a page.
   *
   * @param page what comes next stands after; empty where two texts share a hash
   * @param isNew whether the number given is the page's
   */
  record Noted(Optional<Page> page, boolean isNew) {}

  /** One more reads these pages. */
  void acquire(List<Page> read) {
    clock++;
    for (Page p : read) {
      p.readers++;
      p.used = clock;
    }
  }

  /** One reads these pages no longer. */
  void release(List<Page> read) {
    clock++;
    for (Page p : read) {
      p.readers--;
      p.used = clock;
    }
  }

  /** How many pages could be forgotten, one after the other. */
  int forgettable() {
    Set<Page> kept = new HashSet<>();
    for (Page p : pages.values()) {
      if (p.readers > 0) {
        Page q = p;
        while (q != null && kept.add(q)) {
          q = q.before;
        }
      }
    }
    return (int) pages.values().stream().filter(p -> !kept.contains(p)).count();
  }

  /** Forgets the page that was not used for longest; its number. */
  int forget() {
    Page oldest = null;
    for (Page p : pages.values()) {
      if (p.readers == 0 && p.followers == 0 && (oldest == null || p.used < oldest.used)) {
        oldest = p;
      }
    }
    if (oldest == null) {
      throw new IllegalStateException("every page is read");
    }
    pages.remove(oldest.hash);
    oldest.before.followers--;
    return oldest.number;
  }

  /** Pages known. */
  int size() {
    return pages.size();
  }

  private static long hash(Page before, int[] tokens) {
    long h = before.hash;
    for (int t : tokens) {
      // the multiplier of Knuth's MMIX generator; the shift mixes high bits into low ones
      h = (h ^ t) * 6364136223846793005L + 1442695040888963407L;
      h ^= h >>> 29;
    }
    return h;
  }
}
