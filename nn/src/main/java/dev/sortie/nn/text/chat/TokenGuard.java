package dev.sortie.nn.text.chat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Keeps foreign texts (messages, tools, variables) out of the control tokens that a template
 * writes, however the template joins them: a control token with a foreign character in it must have
 * one of a few characters from outside. Either it begins outside, and then it has its first
 * character from there. Or the template writes its beginning, and then the foreign text continues
 * with the character after. These characters are <em>guarded</em>; texts without one can become
 * part of no control token.
 *
 * <p>Where a foreign text has one, the template is rendered a second time with other characters in
 * their place, letters that occur nowhere else. The two results must be the same but for these:
 * then they say which characters come from outside.
 */
final class TokenGuard {
  private static final char FIRST_LETTER = '\u4e00';
  private static final char LAST_LETTER = '\u9fa5';

  private static final int SHOWN = 8;

  /**
   * Characters compared, a second or so; the control tokens of Gemma 3 and its template need 5 %.
   */
  private static final long MAX_STEPS = 1L << 28;

  /** Characters of all beginnings and ends of control tokens. */
  private static final long MAX_PARTS = 1L << 24;

  private final String origin;

  private final List<String> tokens;
  private final Set<String> literals;
  private final Set<Integer> guarded = new LinkedHashSet<>();
  private final BitSet guardedUnits = new BitSet();

  /** Literals that neither are a part of a control token nor could be continued to one. */
  private final Set<String> words;

  /** Those of them that have a guarded character. */
  private final List<String> spared;

  private final Set<String> known;

  /**
   * A guard.
   *
   * @param origin the template, for messages
   * @param tokens spellings of the control tokens
   * @param literals texts that stand in the template
   * @param names of fields that the template may read
   * @throws InputException if tokens and texts are so long or many that comparing them would take
   *     very long
   */
  TokenGuard(String origin, Collection<String> tokens, Set<String> literals, Set<String> names) {
    this.origin = origin;
    this.tokens = tokens.stream().filter(token -> !token.isEmpty()).toList();
    this.literals = literals;
    Budget budget =
        new Budget(
            "comparing the template's texts with the tokenizer's control tokens",
            0,
            MAX_STEPS,
            Integer.MAX_VALUE,
            MAX_PARTS,
            message -> new InputException(origin + ": " + message));
    this.tokens.forEach(token -> budget.make((long) token.length() * token.length()));
    long size = this.tokens.stream().mapToLong(String::length).sum();
    Set<String> beginnings = new HashSet<>();
    for (String token : this.tokens) {
      int first = usable(token, 0);
      guard(token, first);
      for (int end = first + 1; end < token.length(); end++) {
        beginnings.add(token.substring(0, end));
      }
    }
    int longest = this.tokens.stream().mapToInt(String::length).max().orElse(0);
    for (String literal : literals) {
      budget.steps(size + literal.length());
      int least = Math.max(0, literal.length() - longest);
      for (int from = literal.length() - 1; from >= least; from--) {
        String end = literal.substring(from);
        if (beginnings.contains(end)) {
          this.tokens.stream()
              .filter(token -> token.length() > end.length() && token.startsWith(end))
              .forEach(token -> guard(token, usable(token, end.length())));
        }
      }
    }
    Set<String> ends = new HashSet<>();
    for (String token : this.tokens) {
      for (int from = 1; from < token.length(); from++) {
        ends.add(token.substring(from));
      }
    }
    words =
        literals.stream()
            .filter(l -> !touches(l, budget) && !meets(l, beginnings, ends))
            .collect(Collectors.toSet());
    spared = words.stream().filter(l -> l.length() > 1 && isGuarded(l)).toList();
    known = new HashSet<>(words);
    known.addAll(names);
  }

  /**
   * Where a token has its first character from {@code from} on that templates neither trim nor
   * escape; {@code from} where there is none.
   */
  private static int usable(String token, int from) {
    for (int i = from; i < token.length(); i++) {
      char c = token.charAt(i);
      if (c > ' ' && "\"'\\".indexOf(c) < 0 && !Character.isWhitespace(c)) {
        return i;
      }
    }
    return from;
  }

  /** Guards a character, in both cases: the template may change the case of a text. */
  private void guard(String token, int at) {
    int c = token.codePointAt(at);
    for (int form : new int[] {c, Character.toLowerCase(c), Character.toUpperCase(c)}) {
      guarded.add(form);
      guardedUnits.set(Character.toString(form).charAt(0));
    }
  }

  /** The guarded characters, for messages. */
  String shown() {
    return guarded.stream()
        .limit(SHOWN)
        .map(c -> Printable.quoted(Character.toString(c)))
        .collect(Collectors.joining(", "));
  }

  /** Whether a text is a part of a control token or has one in it. */
  private boolean touches(String text, Budget budget) {
    return tokens.stream()
        .anyMatch(
            token ->
                Search.indexOf(token, text, 0, budget) >= 0
                    || Search.indexOf(text, token, 0, budget) >= 0);
  }

  /** Whether a text ends with the beginning of a control token, or begins with an end of one. */
  private static boolean meets(String text, Set<String> beginnings, Set<String> ends) {
    return beginnings.stream().anyMatch(text::endsWith) || ends.stream().anyMatch(text::startsWith);
  }

  /** Whether the template may read a field of this name; then it stays as it is. */
  boolean isKnown(String name) {
    return known.contains(name);
  }

  /** Whether a foreign text has a guarded character. */
  boolean isGuarded(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (guardedUnits.get(text.charAt(i))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Ways to put others in the place of guarded characters, the safest first: everywhere but in
   * texts that the template may compare with one of its own; and not in parts of a text that the
   * template may look for, such as a tag around reasoning.
   *
   * @param foreign all foreign texts
   */
  List<StandIns> standIns(Collection<String> foreign) {
    BitSet taken = new BitSet();
    foreign.forEach(text -> take(text, taken));
    literals.forEach(text -> take(text, taken));
    tokens.forEach(text -> take(text, taken));
    List<Integer> characters = List.copyOf(guarded);
    StringBuilder letters = new StringBuilder();
    for (int c = FIRST_LETTER; c <= LAST_LETTER && letters.length() < characters.size(); c++) {
      if (!taken.get(c)) {
        letters.append((char) c);
      }
    }
    if (letters.length() < characters.size()) {
      return List.of();
    }
    List<StandIns> ways = new ArrayList<>();
    ways.add(new StandIns(origin, characters, letters.toString(), words, List.of()));
    if (!spared.isEmpty()) {
      ways.add(new StandIns(origin, characters, letters.toString(), words, spared));
    }
    return ways;
  }

  private static void take(String text, BitSet taken) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= FIRST_LETTER && text.charAt(i) <= LAST_LETTER) {
        taken.set(text.charAt(i));
      }
    }
  }
}
