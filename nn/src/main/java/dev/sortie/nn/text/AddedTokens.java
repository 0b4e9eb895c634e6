package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.unicode.CharClass;
import dev.sortie.nn.text.unicode.CharTrie;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tokens that are found in the text itself, before and after normalisation. */
final class AddedTokens {
  /** What is left of a text: plain segments and added tokens, in order. */
  interface Sink {
    /**
     * Some text.
     *
     * @param from where it begins in what was cut
     */
    void text(String text, int from, boolean atStart);

    void token(int id);
  }

  /** Marks: code points that Unicode keeps free of characters for ever. */
  private static final char OPEN = '\uFDD0';

  private static final char CLOSE = '\uFDD1';

  /** By id; null where there is none. */
  private final AddedToken[] byId;

  private final Map<String, Integer> ids;
  private final CharTrie raw;
  private final CharTrie normalized;
  private boolean normalizedSpecials;

  AddedTokens(
      String source, Vocabulary vocabulary, List<AddedToken> tokens, Normalizer normalizer) {
    raw = new CharTrie(source + ": added_tokens");
    normalized = new CharTrie(source + ": added_tokens, normalised,");
    Budget budget = new Budget(source, "added_tokens", 0);
    byId = new AddedToken[1 + tokens.stream().mapToInt(AddedToken::id).max().orElse(-1)];
    ids = HashMap.newHashMap(tokens.size());
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
      AddedToken other = byId[token.id()];
      byId[token.id()] = token;
      if (other != null || ids.put(token.content(), token.id()) != null) {
        throw new InputException(
            "%s: added_tokens has id %d or %s twice"
                .formatted(source, token.id(), Printable.quoted(token.content())));
      }
      if (token.normalized()) {
        normalizedSpecials |= token.special();
        budget.give(token.content().length());
        normalized.add(normalizer.normalize(token.content(), budget), token.id());
      } else {
        raw.add(token.content(), token.id());
      }
    }
  }

  boolean isAdded(int id) {
    return token(id) != null;
  }

  boolean isSpecial(int id) {
    AddedToken token = token(id);
    return token != null && token.special();
  }

  /** The added token of {@code id}, or null. */
  AddedToken token(int id) {
    return id >= 0 && id < byId.length ? byId[id] : null;
  }

  /** The id of an added token, or -1. */
  int id(String content) {
    return ids.getOrDefault(content, -1);
  }

  /**
   * Cuts {@code text} at added tokens; the segments between them come normalised.
   *
   * @param foreign units of the text that no special token may have, or null where nobody has said
   *     what comes from where
   */
  void cut(
      String text,
      Normalizer normalizer,
      boolean parseSpecial,
      BitSet foreign,
      Budget budget,
      Sink sink) {
    cut(
        raw,
        text,
        true,
        parseSpecial,
        foreign,
        budget,
        new Sink() {
          @Override
          public void text(String segment, int from, boolean atStart) {
            String plain = normalizer.normalize(segment, budget);
            if (foreign == null || !normalizedSpecials) {
              cut(normalized, plain, atStart, parseSpecial, null, budget, sink);
            } else {
              BitSet there = foreign.get(from, from + segment.length());
              cutGuarded(segment, there, plain, normalizer, atStart, budget, sink);
            }
          }

          @Override
          public void token(int id) {
            sink.token(id);
          }
        });
  }

  /**
   * Special tokens that are searched in normalised text: those that are written out in the segment,
   * by none of its foreign characters. The normalizer may make them of others.
   */
  private void cutGuarded(
      String segment,
      BitSet foreign,
      String plain,
      Normalizer normalizer,
      boolean atStart,
      Budget budget,
      Sink sink) {
    Map<Integer, Integer> found = new HashMap<>();
    cut(
        normalized,
        plain,
        atStart,
        true,
        moved(segment, foreign, plain, normalizer, budget),
        budget,
        new Sink() {
          @Override
          public void text(String text, int from, boolean atBeginning) {
            sink.text(text, from, atBeginning);
          }

          @Override
          public void token(int id) {
            found.merge(id, 1, Integer::sum);
            sink.token(id);
          }
        });
    found.forEach(
        (id, count) -> {
          if (isSpecial(id) && spelled(byId[id].content(), segment, foreign, budget) < count) {
            throw unknown(byId[id].content());
          }
        });
  }

  /** How often a segment spells a token without a foreign character. */
  private static int spelled(String token, String segment, BitSet foreign, Budget budget) {
    int count = 0;
    for (int i = Search.indexOf(segment, token, 0, budget);
        i >= 0;
        i = Search.indexOf(segment, token, i + 1, budget)) {
      int next = foreign.nextSetBit(i);
      count += next < 0 || next >= i + token.length() ? 1 : 0;
    }
    return count;
  }

  /** Where the foreign characters are after normalisation, followed by marks around them. */
  private static BitSet moved(
      String segment, BitSet foreign, String plain, Normalizer normalizer, Budget budget) {
    if (foreign.isEmpty()) {
      return foreign;
    }
    StringBuilder marked = new StringBuilder(segment.length() + 16);
    for (int i = 0; i < segment.length(); i++) {
      boolean in = foreign.get(i);
      if (in != (i > 0 && foreign.get(i - 1))) {
        marked.append(in ? OPEN : CLOSE);
      }
      marked.append(segment.charAt(i));
    }
    String normal = normalizer.normalize(marked.toString(), budget);
    StringBuilder text = new StringBuilder(plain.length());
    BitSet places = new BitSet();
    boolean in = false;
    for (int i = 0; i < normal.length(); i++) {
      char c = normal.charAt(i);
      if (c == OPEN || c == CLOSE) {
        in = c == OPEN;
      } else {
        places.set(text.length(), in);
        text.append(c);
      }
    }
    if (!plain.contentEquals(text)) {
      throw unknown(
          segment.substring(foreign.nextSetBit(0), foreign.nextClearBit(foreign.nextSetBit(0))));
    }
    return places;
  }

  private static InputException unknown(String part) {
    return new InputException(
        "the tokenizer's normalizer changes a text around %s so that control tokens spelled in messages cannot be told from those of the template; leave such characters out of messages"
            .formatted(Printable.quoted(part)));
  }

  private void cut(
      CharTrie trie,
      String text,
      boolean atStart,
      boolean parseSpecial,
      BitSet foreign,
      Budget budget,
      Sink sink) {
    int done = 0;
    int i = trie.nextStart(text, 0);
    while (i < text.length()) {
      CharTrie.Match match = longest(trie, text, i, foreign, budget);
      if (match == null) {
        i = trie.nextStart(text, i + 1);
        continue;
      }
      AddedToken token = byId[match.id()];
      int start = i;
      int end = i + match.length();
      i = trie.nextStart(text, end);
      if (token.special() && !parseSpecial
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
        sink.text(text.substring(done, start), done, atStart && done == 0);
      }
      sink.token(token.id());
      done = end;
      i = trie.nextStart(text, Math.max(i, end));
    }
    if (done < text.length()) {
      sink.text(text.substring(done), done, atStart && done == 0);
    }
  }

  /** The longest token at {@code from} that is not special or ends before a foreign character. */
  private CharTrie.Match longest(
      CharTrie trie, String text, int from, BitSet foreign, Budget budget) {
    int next = foreign == null ? -1 : foreign.nextSetBit(from);
    return next < 0
        ? trie.longest(text, from, budget)
        : trie.longest(text, from, budget, (id, end) -> end <= next || !isSpecial(id));
  }

  private static boolean standsAlone(String text, int start, int end) {
    return (start == 0 || !CharClass.isWord(text.codePointBefore(start)))
        && (end == text.length() || !CharClass.isWord(text.codePointAt(end)));
  }
}
