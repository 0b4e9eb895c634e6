package dev.sortie.nn.text.stage;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.budget.Budget;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A table of replacements as SentencePiece compiles it: a trie of UTF-8 strings laid out as a
 * double array (Aoe 1989; the units are darts-clone's), and the replacements one after another,
 * each ended by a zero byte.
 *
 * <pre>
 * u32 bytes of the trie | trie: u32 units | replacements
 * unit: bits 0-7 label, 8 has a value, 9 offset is shifted by 8, 10-31 offset; or 31 bits value
 * </pre>
 */
public final class PrecompiledCharsMap {
  private static final int MAX_BYTES = 16 << 20;

  /** SentencePiece looks no further for the longest match. */
  private static final int MAX_MATCHES = 32;

  /** Clusters of more bytes are always taken character by character. */
  private static final int LONG_CLUSTER = 6;

  /** Real tables have strings of some 20 bytes at most. */
  private static final int MAX_DEPTH = 256;

  // A label never has the highest bit, so a value is never taken for one.
  private static final int LABEL = 0x800000FF;
  private static final int HAS_VALUE = 1 << 8;

  private static final Pattern CLUSTER = Pattern.compile("\\X");

  private final byte[] blob;
  private final int[] units;
  private final byte[] replacements;

  /** Behind the last zero byte; no replacement begins there. */
  private final int ended;

  /**
   * A table.
   *
   * @param where names file and field in messages
   * @throws InputException if it is damaged
   */
  public PrecompiledCharsMap(byte[] blob, String where) {
    if (blob.length > MAX_BYTES) {
      throw new InputException(
          "%s has %d bytes, more than the limit %d".formatted(where, blob.length, MAX_BYTES));
    }
    ByteBuffer in = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
    int bytes = blob.length < 4 ? -1 : in.getInt();
    if (bytes < 4 || bytes % 4 != 0 || bytes > in.remaining()) {
      throw new InputException(
          "%s has a trie of %d bytes in %d; expected a multiple of 4 that fits"
              .formatted(where, bytes, blob.length));
    }
    this.blob = blob.clone();
    units = new int[bytes / 4];
    in.asIntBuffer().get(units);
    replacements = Arrays.copyOfRange(blob, 4 + bytes, blob.length);
    int end = replacements.length;
    while (end > 0 && replacements[end - 1] != 0) {
      end--;
    }
    ended = end;
    boolean[] seen = new boolean[units.length];
    check(where, offset(units[0]), 0, seen);
  }

  /** Follows every string of the trie once, so that looking up needs no checks and always ends. */
  private void check(String where, int node, int depth, boolean[] seen) {
    if (depth > MAX_DEPTH) {
      throw new InputException(
          where + " has strings of more than " + MAX_DEPTH + " bytes, or its trie is a circle");
    }
    for (int c = 1; c < 256; c++) {
      int at = node ^ c;
      if (at >= units.length || (units[at] & LABEL) != c || seen[at]) {
        continue;
      }
      int child = at ^ offset(units[at]);
      if ((units[at] & HAS_VALUE) != 0) {
        int value = child < units.length ? units[child] & Integer.MAX_VALUE : -1;
        if (value < 0 || value >= ended) {
          throw new InputException(
              "%s names byte %d of the replacements, of which there are %d, or one without end"
                  .formatted(where, value, replacements.length));
        }
      }
      check(where, child, depth + 1, seen);
      seen[at] = true;
    }
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >> 6);
  }

  private int end(int replacement) {
    int end = replacement;
    while (end < replacements.length && replacements[end] != 0) {
      end++;
    }
    return end;
  }

  /** The bytes as files hold them. */
  public byte[] blob() {
    return blob.clone();
  }

  /**
   * Each grapheme cluster as a whole if it begins with a string of the table, else each of its
   * characters. What stands after that string in the cluster or character is lost, and the shortest
   * string wins: tokenizers of this kind have learnt from such text.
   */
  String normalizeGraphemes(String text, Budget budget) {
    StringBuilder out = new StringBuilder(text.length());
    Matcher cluster = CLUSTER.matcher(text);
    while (cluster.find()) {
      String whole = cluster.group();
      byte[] utf8 = whole.getBytes(StandardCharsets.UTF_8);
      String other = utf8.length < LONG_CLUSTER ? shortest(utf8, budget) : null;
      if (other != null) {
        budget.length((long) out.length() + other.length());
        out.append(other);
      } else {
        whole.codePoints().forEach(c -> appendCharacter(c, out, budget));
      }
    }
    return out.toString();
  }

  private void appendCharacter(int c, StringBuilder out, Budget budget) {
    String other = shortest(Character.toString(c).getBytes(StandardCharsets.UTF_8), budget);
    if (other != null) {
      budget.length((long) out.length() + other.length());
      out.append(other);
    } else {
      out.appendCodePoint(c);
    }
  }

  private String shortest(byte[] utf8, Budget budget) {
    int node = offset(units[0]);
    for (byte b : utf8) {
      int at = node ^ b & 0xFF;
      if (b == 0 || at >= units.length || (units[at] & LABEL) != (b & 0xFF)) {
        return null;
      }
      node = at ^ offset(units[at]);
      if ((units[at] & HAS_VALUE) != 0) {
        return replacement(units[node] & Integer.MAX_VALUE, budget);
      }
    }
    return null;
  }

  /**
   * The longest string of the table at {@code from}.
   *
   * @return how many bytes it has in the high half and where its replacement begins in the low one,
   *     or -1 if there is none
   */
  long longest(byte[] utf8, int from) {
    long found = -1;
    int matches = 0;
    int node = offset(units[0]);
    for (int i = from; i < utf8.length && matches < MAX_MATCHES; i++) {
      int at = node ^ utf8[i] & 0xFF;
      if (utf8[i] == 0 || at >= units.length || (units[at] & LABEL) != (utf8[i] & 0xFF)) {
        break;
      }
      node = at ^ offset(units[at]);
      if ((units[at] & HAS_VALUE) != 0) {
        found = (long) (i + 1 - from) << 32 | units[node] & Integer.MAX_VALUE;
        matches++;
      }
    }
    return found;
  }

  /** The replacement that begins at a byte. */
  String replacement(int start, Budget budget) {
    int bytes = end(start) - start;
    budget.steps(bytes);
    return new String(replacements, start, bytes, StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PrecompiledCharsMap map && Arrays.equals(map.blob, blob);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(blob);
  }

  @Override
  public String toString() {
    return "a table of " + blob.length + " bytes";
  }
}
