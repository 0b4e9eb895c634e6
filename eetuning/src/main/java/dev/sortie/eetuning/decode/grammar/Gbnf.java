package dev.sortie.eetuning.decode.grammar;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Reads grammars in GBNF, the notation of llama.cpp: rules {@code name ::= expression}, of which
 * {@code root} is what is meant; texts in quotation marks, sets of characters in brackets, a dot
 * for any character, parentheses, {@code |}, {@code * + ?} and <code>{m,n}</code>, and comments
 * after {@code #}. A rule ends with its line, except in parentheses and after {@code |}.
 */
public final class Gbnf {
  /** The rule that is meant. */
  public static final String ROOT = "root";

  private static final int LONGEST = 1 << 20;
  private static final int DEEPEST = 100;

  private final String origin;
  private final String text;
  private final SequencedMap<String, Expression> rules = new LinkedHashMap<>();
  private int at;
  private int depth;

  private Gbnf(String origin, String text) {
    this.origin = origin;
    this.text = text;
  }

  /**
   * The grammar of a text.
   *
   * @param origin names it in messages
   * @throws InputException with line and column of what is wrong
   */
  public static Grammar read(String origin, String text) {
    SequencedMap<String, Expression> rules = rules(origin, text);
    if (!rules.containsKey(ROOT)) {
      throw new InputException(
          "%s: there is no rule \"%s\", which says what the whole text is; define it"
              .formatted(origin, ROOT));
    }
    return new Grammar(origin, ROOT, rules);
  }

  /**
   * The rules of a text, which need have no root and may use rules that others have.
   *
   * @param origin names it in messages
   * @throws InputException with line and column of what is wrong
   */
  public static SequencedMap<String, Expression> rules(String origin, String text) {
    if (text.length() > LONGEST) {
      throw new InputException(
          "%s: has %d characters, at most %d are allowed in a grammar"
              .formatted(origin, text.length(), LONGEST));
    }
    Gbnf reader = new Gbnf(origin, text);
    reader.space(true);
    while (reader.at < text.length()) {
      reader.rule();
    }
    return reader.rules;
  }

  private void rule() {
    int begin = at;
    String name = name();
    space(false);
    expect("::=");
    space(true);
    Expression body = alternatives(false);
    if (rules.putIfAbsent(name, body) != null) {
      at = begin;
      throw error("the rule " + Printable.value(name) + " is defined twice");
    }
    if (at < text.length() && peek() != '\n' && peek() != '\r') {
      throw error("found " + shown() + ", expected the end of the rule's line");
    }
    space(true);
  }

  private Expression alternatives(boolean nested) {
    if (++depth > DEEPEST) {
      throw error("parentheses are nested more than " + DEEPEST + " deep");
    }
    List<Expression> all = new ArrayList<>();
    all.add(sequence(nested));
    while (peek() == '|') {
      at++;
      space(true);
      all.add(sequence(nested));
    }
    depth--;
    return all.size() == 1 ? all.getFirst() : new Expression.Choice(all);
  }

  private Expression sequence(boolean nested) {
    List<Expression> parts = new ArrayList<>();
    while (true) {
      char c = peek();
      Expression next;
      if (c == '"') {
        next = quoted();
      } else if (c == '[') {
        next = set();
      } else if (c == '.') {
        at++;
        next = new Expression.OneOf(CodePoints.ALL);
      } else if (c == '(') {
        at++;
        space(true);
        next = alternatives(true);
        expect(")");
      } else if (isNameCharacter(c)) {
        next = new Expression.Call(name());
      } else {
        return parts.size() == 1 ? parts.getFirst() : new Expression.Sequence(parts);
      }
      space(nested);
      parts.add(repeated(next, nested));
    }
  }

  /** What stands there, with the signs after it that say how often. */
  private Expression repeated(Expression what, boolean nested) {
    Expression repeated = what;
    for (int signs = 0; "*+?{".indexOf(peek()) >= 0; signs++) {
      if (signs == DEEPEST) {
        throw error("more than " + DEEPEST + " signs of repetition in a row");
      }
      char sign = text.charAt(at++);
      repeated =
          switch (sign) {
            case '*' -> new Expression.Repeat(repeated, 0, Expression.UNBOUNDED);
            case '+' -> new Expression.Repeat(repeated, 1, Expression.UNBOUNDED);
            case '?' -> Expression.optional(repeated);
            default -> counted(repeated);
          };
      space(nested);
    }
    return repeated;
  }

  private Expression counted(Expression what) {
    space(true);
    int least = peek() == ',' ? 0 : number();
    space(true);
    int most = least;
    if (peek() == ',') {
      at++;
      space(true);
      most = peek() == '}' ? Expression.UNBOUNDED : number();
      space(true);
    }
    expect("}");
    if (most < least) {
      throw error("at least %d and at most %d times".formatted(least, most));
    }
    return new Expression.Repeat(what, least, most);
  }

  private int number() {
    int begin = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (begin == at || at - begin > 7) {
      at = begin;
      throw error("found " + shown() + ", expected a number of at most 7 digits");
    }
    return Integer.parseInt(text, begin, at, 10);
  }

  private Expression quoted() {
    at++;
    StringBuilder quoted = new StringBuilder();
    while (peek() != '"') {
      quoted.appendCodePoint(character());
    }
    at++;
    return new Expression.Text(quoted.toString());
  }

  private Expression set() {
    at++;
    boolean others = peek() == '^';
    at += others ? 1 : 0;
    List<CodePoints.Range> ranges = new ArrayList<>();
    while (peek() != ']') {
      int first = character();
      int last = first;
      if (peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        last = character();
      }
      if (last < first) {
        throw error("a range of characters ends before it begins");
      }
      ranges.add(new CodePoints.Range(first, last));
    }
    at++;
    CodePoints set = new CodePoints(ranges);
    return new Expression.OneOf(others ? set.complement() : set);
  }

  /** A character of a text or a set, as it stands there or written with a backslash. */
  private int character() {
    if (at >= text.length()) {
      throw error("the grammar ends within a text or a set of characters");
    }
    int c = text.codePointAt(at);
    if (c != '\\') {
      if (Character.getType(c) == Character.SURROGATE) {
        throw error("an unpaired surrogate is no character");
      }
      at += Character.charCount(c);
      return c;
    }
    at++;
    char sign = peek();
    at++;
    return switch (sign) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case '\\', '"', '[', ']', '^', '-' -> sign;
      case 'x' -> hexadecimal(2);
      case 'u' -> hexadecimal(4);
      case 'U' -> hexadecimal(8);
      default -> {
        at -= 2;
        throw error("a backslash stands before n r t \\ \" [ ] ^ - x u U, not before " + sign);
      }
    };
  }

  private int hexadecimal(int digits) {
    long value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0 || peek() > 'f') {
        throw error("found %s, expected %d hexadecimal digits".formatted(shown(), digits));
      }
      value = 16 * value + digit;
      at++;
    }
    if (value > Character.MAX_CODE_POINT || Character.getType((int) value) == Character.SURROGATE) {
      throw error("U+%X is no character".formatted(value));
    }
    return (int) value;
  }

  private String name() {
    int begin = at;
    while (isNameCharacter(peek())) {
      at++;
    }
    if (begin == at) {
      throw error("found " + shown() + ", expected the name of a rule");
    }
    return text.substring(begin, at);
  }

  private static boolean isNameCharacter(char c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '-'
        || c == '_';
  }

  private void space(boolean lines) {
    while (at < text.length()) {
      char c = peek();
      if (c == '#') {
        while (at < text.length() && peek() != '\n' && peek() != '\r') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r')) {
        at++;
      } else {
        return;
      }
    }
  }

  private void expect(String sign) {
    if (!text.startsWith(sign, at)) {
      throw error("found " + shown() + ", expected " + sign);
    }
    at += sign.length();
  }

  /** The character here, 0 at the end. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private String shown() {
    return at < text.length()
        ? Printable.value(text.substring(at, text.offsetByCodePoints(at, 1)))
        : "the end";
  }

  private InputException error(String what) {
    int line = 1;
    int begin = 0;
    for (int i = 0; i < Math.min(at, text.length()); i++) {
      if (text.charAt(i) == '\n') {
        line++;
        begin = i + 1;
      }
    }
    return new InputException(
        "%s: line %d, column %d: %s".formatted(origin, line, at - begin + 1, what));
  }
}
