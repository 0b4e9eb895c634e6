package dev.sortie.nn.text.chat;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.unicode.CharTrie;
import it.unimi.dsi.fastutil.ints.Int2IntOpenHashMap;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * Letters in the place of characters of foreign texts, by which these are known again in what a
 * template has made of them.
 */
final class StandIns {
  private final String origin;
  private final List<Integer> characters;
  private final Int2IntOpenHashMap places = new Int2IntOpenHashMap();
  private final String letters;
  private final Int2IntOpenHashMap indices = new Int2IntOpenHashMap();
  private final Set<String> whole;
  private final CharTrie parts;

  /**
   * Letters for some characters.
   *
   * @param origin the template, for messages
   * @param characters code points that are replaced
   * @param letters for each the letter in its place, which occurs in no text
   * @param whole texts that stay as they are
   * @param parts of texts, which stay as they are
   */
  StandIns(
      String origin,
      List<Integer> characters,
      String letters,
      Set<String> whole,
      List<String> parts) {
    this.origin = origin;
    this.characters = characters;
    this.letters = letters;
    this.whole = whole;
    this.parts = new CharTrie(origin + ": the texts of the template");
    parts.forEach(part -> this.parts.add(part, 0));
    places.defaultReturnValue(-1);
    indices.defaultReturnValue(-1);
    for (int i = 0; i < characters.size(); i++) {
      places.put(characters.get(i).intValue(), i);
      indices.put(letters.charAt(i), i);
    }
  }

  /** A foreign text with the letters in it. */
  String replace(String text) {
    if (whole.contains(text)) {
      return text;
    }
    Budget budget = new Budget(origin, "a text", text.length());
    StringBuilder out = new StringBuilder(text.length());
    int kept = 0;
    int c;
    for (int i = 0; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      CharTrie.Match part = parts.longest(text, i, budget);
      kept = part == null ? kept : Math.max(kept, i + part.length());
      int index = i < kept ? -1 : places.get(c);
      if (index < 0) {
        out.appendCodePoint(c);
      } else {
        out.append(letters.charAt(index));
      }
    }
    return out.toString();
  }

  /** The text that a rendering with letters would be with the characters. */
  String restore(String rendered) {
    StringBuilder out = new StringBuilder(rendered.length());
    for (int i = 0; i < rendered.length(); i++) {
      int index = indices.get(rendered.charAt(i));
      if (index < 0) {
        out.append(rendered.charAt(i));
      } else {
        out.appendCodePoint(characters.get(index));
      }
    }
    return out.toString();
  }

  /** Which UTF-16 units of the restored text stand for a letter. */
  BitSet places(String rendered) {
    BitSet foreign = new BitSet();
    int at = 0;
    for (int i = 0; i < rendered.length(); i++) {
      int index = indices.get(rendered.charAt(i));
      int units = index < 0 ? 1 : Character.charCount(characters.get(index));
      foreign.set(at, at + units, index >= 0);
      at += units;
    }
    return foreign;
  }
}
