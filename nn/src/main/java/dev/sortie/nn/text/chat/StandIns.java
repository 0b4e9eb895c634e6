package dev.sortie.nn.text.chat;

import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * Letters in the place of characters of foreign texts, by which these are known again in what a
 * template has made of them.
 *
 * @param characters code points that are replaced
 * @param letters for each the letter in its place, which occurs in no text
 * @param whole texts that stay as they are
 * @param parts of texts, which stay as they are
 */
record StandIns(List<Integer> characters, String letters, Set<String> whole, List<String> parts) {

  /** A foreign text with the letters in it. */
  String replace(String text) {
    if (whole.contains(text)) {
      return text;
    }
    BitSet kept = new BitSet();
    for (String part : parts) {
      for (int i = text.indexOf(part); i >= 0; i = text.indexOf(part, i + 1)) {
        kept.set(i, i + part.length());
      }
    }
    StringBuilder out = new StringBuilder(text.length());
    int c;
    for (int i = 0; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      int index = kept.get(i) ? -1 : characters.indexOf(c);
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
      int index = letters.indexOf(rendered.charAt(i));
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
    BitSet places = new BitSet();
    int at = 0;
    for (int i = 0; i < rendered.length(); i++) {
      int index = letters.indexOf(rendered.charAt(i));
      int units = index < 0 ? 1 : Character.charCount(characters.get(index));
      places.set(at, at + units, index >= 0);
      at += units;
    }
    return places;
  }
}
