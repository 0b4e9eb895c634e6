package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into tokens, with white space handled as transformers sets Jinja up: {@code
 * trim_blocks} (the line feed after a block or comment goes) and {@code lstrip_blocks} (so do the
 * blanks before one that begins its line); {@code -} takes all white space on its side, {@code +}
 * leaves it all.
 */
final class Lexer {
  private final TemplateSource source;
  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int pos;

  /** Whether the text before {@code pos} ended with a line feed, seen or taken by a tag. */
  private boolean lineStarting = true;

  private Lexer(TemplateSource source) {
    this.source = source;
    this.text = source.text();
  }

  static List<Token> tokens(TemplateSource source) {
    Lexer lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (pos < text.length()) {
      int tag = nextTag(pos);
      if (tag < 0) {
        data(pos, text.substring(pos));
        pos = text.length();
        break;
      }
      char kind = text.charAt(tag + 1);
      char sign = sign(tag + 2);
      data(pos, before(text.substring(pos, tag), kind, sign));
      pos = tag + (sign == 0 ? 2 : 3);
      lineStarting = false;
      switch (kind) {
        case '#' -> comment(tag);
        case '{' -> tag(tag, Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
        default -> block(tag);
      }
    }
    add(Kind.END, "", text.length());
  }

  private int nextTag(int from) {
    for (int i = text.indexOf('{', from); i >= 0; i = text.indexOf('{', i + 1)) {
      if (i + 1 < text.length() && "%{#".indexOf(text.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private char sign(int at) {
    return at < text.length() && (text.charAt(at) == '-' || text.charAt(at) == '+')
        ? text.charAt(at)
        : 0;
  }

  private String before(String data, char kind, char sign) {
    if (sign == '-') {
      return PythonSpace.stripEnd(data);
    }
    if (sign != '+' && kind != '{') {
      int line = data.lastIndexOf('\n') + 1;
      if ((line > 0 || lineStarting) && PythonSpace.isBlank(data, line, data.length())) {
        return data.substring(0, line);
      }
    }
    return data;
  }

  private void data(int at, String data) {
    if (!data.isEmpty()) {
      add(Kind.DATA, data, at);
    }
  }

  private void add(Kind kind, String value, int at) {
    tokens.add(new Token(kind, value, source.place(at)));
  }

  private void comment(int tag) {
    int end = text.indexOf("#}", pos);
    if (end < 0) {
      throw source.error(source.place(tag), "the comment has no end '#}'");
    }
    char sign = end > pos ? sign(end - 1) : 0;
    after(end + 2, sign, true);
  }

  /** Continues after a tag that ended at {@code end}. */
  private void after(int end, char sign, boolean trim) {
    pos = end;
    if (sign == '-') {
      pos = PythonSpace.skip(text, end);
    } else if (sign != '+' && trim && end < text.length() && text.charAt(end) == '\n') {
      pos = end + 1;
    }
    lineStarting = pos > end && text.charAt(pos - 1) == '\n';
  }

  private void block(int tag) {
    int name = PythonSpace.skip(text, pos);
    if (text.startsWith("raw", name)) {
      int end = PythonSpace.skip(text, name + 3);
      boolean strip = text.startsWith("-%}", end);
      if (strip || text.startsWith("%}", end)) {
        after(end + (strip ? 3 : 2), strip ? '-' : 0, false);
        raw(tag);
        return;
      }
    }
    tag(tag, Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
  }

  private void raw(int tag) {
    int from = pos;
    for (int i = text.indexOf("{%", from); i >= 0; i = text.indexOf("{%", i + 1)) {
      char sign = sign(i + 2);
      int name = PythonSpace.skip(text, i + (sign == 0 ? 2 : 3));
      int end = PythonSpace.skip(text, name + "endraw".length());
      if (text.startsWith("endraw", name)) {
        char endSign = sign(end);
        int close = end + (endSign == 0 ? 0 : 1);
        if (text.startsWith("%}", close)) {
          data(from, before(text.substring(from, i), '%', sign));
          after(close + 2, endSign, true);
          return;
        }
      }
    }
    throw source.error(source.place(tag), "the raw block has no end '{% endraw %}'");
  }

  private void tag(int tag, Kind begin, Kind end, String close) {
    add(begin, "", tag);
    int open = 0;
    while (true) {
      pos = PythonSpace.skip(text, pos);
      if (pos >= text.length()) {
        throw source.error(source.place(tag), "the tag has no end '" + close + "'");
      }
      char c = text.charAt(pos);
      boolean signed = (c == '-' || c == '+' && end == Kind.BLOCK_END);
      int closeAt = pos + (signed ? 1 : 0);
      // a brace that is still open owns the braces that follow
      if (open == 0 && text.startsWith(close, closeAt)) {
        add(end, "", pos);
        after(closeAt + 2, signed ? c : 0, end == Kind.BLOCK_END);
        return;
      }
      Lexeme token = Lexeme.at(source, pos);
      if (token.kind() == Kind.OPERATOR) {
        open += "([{".contains(token.text()) ? 1 : 0;
        open -= ")]}".contains(token.text()) ? 1 : 0;
        if (open < 0) {
          throw source.error(source.place(pos), "'" + token.text() + "' closes nothing");
        }
      }
      add(token.kind(), token.text(), pos);
      pos = token.end();
    }
  }
}
