package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.unicode.CharClass;
import dev.sortie.nn.text.unicode.CharTrie;
import it.unimi.dsi.fastutil.ints.Int2ObjectOpenHashMap;
import it.unimi.dsi.fastutil.objects.Object2IntOpenHashMap;
import java.util.List;

/** The tokens that are found in the text itself, before and after normalisation. */
final class AddedTokens {
  /** What is left of a text: plain segments and added tokens, in order. */
  interface Sink {
    void text(String text, boolean atStart);

    void token(int id);
  }

  private final Int2ObjectOpenHashMap<AddedToken> byId = new Int2ObjectOpenHashMap<>();
  private final Object2IntOpenHashMap<String> ids = new Object2IntOpenHashMap<>();
  private final CharTrie raw = new CharTrie();
  private final CharTrie normalized = new CharTrie();

  AddedTokens(
      String source, Vocabulary vocabulary, List<AddedToken> tokens, Normalizer normalizer) {
    ids.defaultReturnValue(-1);
    for (AddedToken token : tokens) {
      int known = vocabulary.id(token.content());
      String taken = vocabulary.token(token.id());
      if (known >= 0 && known != token.id() || taken != null && !taken.equals(token.content())) {
        throw new InputException(
            "%s: added_tokens has %s as id %d, but model.vocab has %s"
                .formatted(
                    source,
                    Printable.quoted(token.content()),
                    token.id(),
                    known >= 0 ? "it as id " + known : Printable.quoted(taken) + " there"));
      }
      AddedToken other = byId.put(token.id(), token);
      if (other != null || ids.put(token.content(), token.id()) >= 0) {
        throw new InputException(
            "%s: added_tokens has id %d or %s twice"
                .formatted(source, token.id(), Printable.quoted(token.content())));
      }
      if (token.normalized()) {
        normalized.add(normalizer.normalize(token.content()), token.id());
      } else {
        raw.add(token.content(), token.id());
      }
    }
  }

  boolean isAdded(int id) {
    return byId.containsKey(id);
  }

  boolean isSpecial(int id) {
    AddedToken token = byId.get(id);
    return token != null && token.special();
  }

  /** The added token of {@code id}, or null. */
  AddedToken token(int id) {
    return byId.get(id);
  }

  /** The id of an added token, or -1. */
  int id(String content) {
    return ids.getInt(content);
  }

  /**
   * The text with a mark inside each special token that it spells, behind the token's first
   * character; a token of one character has the mark before it, which {@link #cut} knows. Marks of
   * the text's own are left out: they could stand before the next token.
   */
  String protect(String original) {
    String text = original.replace(String.valueOf(Tokenizer.MARK), "");
    StringBuilder marked = new StringBuilder(text.length());
    int width;
    for (int i = 0; i < text.length(); i += width) {
      width = Character.charCount(text.codePointAt(i));
      int length = Math.max(special(raw, text, i), special(normalized, text, i));
      if (length == width) {
        marked.append(Tokenizer.MARK);
      }
      marked.append(text, i, i + width);
      if (length > width) {
        marked.append(Tokenizer.MARK);
      }
    }
    return marked.toString();
  }

  /** UTF-16 units of the longest special token at {@code from}, or 0. */
  private int special(CharTrie trie, String text, int from) {
    int found = 0;
    int node = 0;
    for (int i = from; i < text.length(); i++) {
      node = trie.next(node, text.charAt(i));
      if (node == 0) {
        break;
      }
      found = isSpecial(trie.id(node)) ? i + 1 - from : found;
    }
    return found;
  }

  /** Cuts {@code text} at added tokens; the segments between them come normalised. */
  void cut(String text, Normalizer normalizer, boolean parseSpecial, Sink sink) {
    cut(
        raw,
        text,
        true,
        parseSpecial,
        new Sink() {
          @Override
          public void text(String segment, boolean atStart) {
            cut(normalized, normalizer.normalize(segment), atStart, parseSpecial, sink);
          }

          @Override
          public void token(int id) {
            sink.token(id);
          }
        });
  }

  private void cut(CharTrie trie, String text, boolean atStart, boolean parseSpecial, Sink sink) {
    int done = 0;
    int i = trie.nextStart(text, 0);
    while (i < text.length()) {
      CharTrie.Match match = trie.longest(text, i);
      if (match == null) {
        i = trie.nextStart(text, i + 1);
        continue;
      }
      AddedToken token = byId.get(match.id());
      int start = i;
      int end = i + match.length();
      i = trie.nextStart(text, end);
      boolean marked =
          match.length() == Character.charCount(text.codePointAt(start))
              && start > 0
              && text.charAt(start - 1) == Tokenizer.MARK;
      if (token.special() && (!parseSpecial || marked)
          || token.singleWord() && !standsAlone(text, start, end)) {
        continue;
      }
      while (token.lstrip() && start > done && CharClass.isSpace(text.charAt(start - 1))) {
        start--;
      }
      while (token.rstrip() && end < text.length() && CharClass.isSpace(text.charAt(end))) {
        end++;
      }
      if (start > done) {
        sink.text(text.substring(done, start), atStart && done == 0);
      }
      sink.token(token.id());
      done = end;
      i = trie.nextStart(text, Math.max(i, end));
    }
    if (done < text.length()) {
      sink.text(text.substring(done), atStart && done == 0);
    }
  }

  private static boolean standsAlone(String text, int start, int end) {
    return (start == 0 || !CharClass.isWord(text.codePointBefore(start)))
        && (end == text.length() || !CharClass.isWord(text.codePointAt(end)));
  }
}
