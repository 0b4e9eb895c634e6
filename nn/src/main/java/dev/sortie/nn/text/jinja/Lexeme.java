package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Token.Kind;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One token inside a tag.
 *
 * @param kind name, string, number or operator
 * @param text its text; of a string, its value
 * @param end offset after it
 */
record Lexeme(Kind kind, String text, int end) {
  private static final Pattern FLOAT =
      Pattern.compile("\\d++(?:_\\d++)*+(?:(?:\\.\\d++(?:_\\d++)*+)?[eE][+-]?\\d++|\\.\\d++)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[0-9a-fA-F])++|[1-9](?:_?\\d)*+|0(?:_?0)*+");
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}<>=.:|,;]");

  static Lexeme at(TemplateSource source, int pos) {
    String text = source.text();
    char c = text.charAt(pos);
    if (c == '\'' || c == '"') {
      return string(source, pos);
    }
    if (isNameStart(text.codePointAt(pos))) {
      int end = pos;
      while (end < text.length() && isNamePart(text.codePointAt(end))) {
        end += Character.charCount(text.codePointAt(end));
      }
      return new Lexeme(Kind.NAME, text.substring(pos, end), end);
    }
    if (c >= '0' && c <= '9') {
      // in a.0.5 the numbers are two subscripts
      boolean subscript = pos > 0 && text.charAt(pos - 1) == '.';
      Lexeme number = subscript ? null : match(FLOAT, Kind.FLOAT, text, pos);
      return number != null ? number : match(INTEGER, Kind.INTEGER, text, pos);
    }
    Lexeme operator = match(OPERATOR, Kind.OPERATOR, text, pos);
    if (operator == null) {
      String shown = PythonText.quoted(Character.toString(text.codePointAt(pos)));
      throw source.error(source.place(pos), "unexpected character " + shown);
    }
    return operator;
  }

  private static boolean isNameStart(int c) {
    return c == '_' || Character.isUnicodeIdentifierStart(c);
  }

  private static boolean isNamePart(int c) {
    return c == '_' || Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
  }

  private static Lexeme match(Pattern pattern, Kind kind, String text, int pos) {
    Matcher m = pattern.matcher(text).region(pos, text.length());
    return m.lookingAt() ? new Lexeme(kind, m.group(), m.end()) : null;
  }

  private static Lexeme string(TemplateSource source, int pos) {
    String text = source.text();
    char quote = text.charAt(pos);
    StringBuilder value = new StringBuilder();
    int i = pos + 1;
    while (i < text.length() && text.charAt(i) != quote) {
      if (text.charAt(i) == '\\') {
        i = escape(source, i, value);
      } else {
        value.append(text.charAt(i++));
      }
    }
    if (i >= text.length()) {
      throw source.error(source.place(pos), "the string has no end");
    }
    return new Lexeme(Kind.STRING, value.toString(), i + 1);
  }

  /** Python's escapes; an unknown one stands for itself. Returns the offset after it. */
  private static int escape(TemplateSource source, int at, StringBuilder value) {
    String text = source.text();
    char c = at + 1 < text.length() ? text.charAt(at + 1) : 0;
    int simple = "abfnrtv\\'\"".indexOf(c);
    if (simple >= 0) {
      value.append("\u0007\b\f\n\r\t\u000B\\'\"".charAt(simple));
      return at + 2;
    }
    switch (c) {
      case '\n':
        return at + 2;
      case 'x':
        return code(source, at, 2, 16, value);
      case 'u':
        return code(source, at, 4, 16, value);
      case 'U':
        return code(source, at, 8, 16, value);
      case 'N':
        throw source.unsupported(source.place(at), "the escape '\\N'");
      default:
        if (c >= '0' && c <= '7') {
          int digits = 1;
          while (digits < 3
              && at + 1 + digits < text.length()
              && Character.digit(text.charAt(at + 1 + digits), 8) >= 0) {
            digits++;
          }
          return code(source, at - 1, digits, 8, value);
        }
        if (c == 0 || c > 0x7F) {
          throw source.unsupported(source.place(at), "a backslash before such a character");
        }
        value.append('\\').append(c);
        return at + 2;
    }
  }

  private static int code(
      TemplateSource source, int at, int digits, int radix, StringBuilder value) {
    int from = at + 2;
    int end = from + digits;
    long code = 0;
    for (int i = from; i < end; i++) {
      int digit = i < source.text().length() ? Character.digit(source.text().charAt(i), radix) : -1;
      if (digit < 0) {
        throw source.error(source.place(at), "the escape needs " + digits + " digits");
      }
      code = code * radix + digit;
    }
    if (code > Character.MAX_CODE_POINT || code >= 0xD800 && code <= 0xDFFF) {
      throw source.error(source.place(at), "the escape names no character");
    }
    value.appendCodePoint((int) code);
    return end;
  }
}
