package dev.sortie.nn.text.jinja;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.jinja.Token.Kind;
import java.util.List;

/** A template's tokens, read one after another. */
final class Tokens {
  private final TemplateSource source;
  private final List<Token> tokens;
  private final int maxDepth;
  private int next;
  private int depth;

  Tokens(TemplateSource source, int maxDepth) {
    this.source = source;
    this.tokens = Lexer.tokens(source);
    this.maxDepth = maxDepth;
  }

  TemplateSource source() {
    return source;
  }

  Token peek() {
    return tokens.get(next);
  }

  /** The token after the next one. */
  Token peekSecond() {
    return tokens.get(Math.min(next + 1, tokens.size() - 1));
  }

  Token take() {
    Token token = peek();
    if (token.kind() != Kind.END) {
      next++;
    }
    return token;
  }

  boolean at(Kind kind) {
    return peek().kind() == kind;
  }

  boolean atOperator(String operator) {
    return peek().isOperator(operator);
  }

  boolean atName(String name) {
    return peek().isName(name);
  }

  boolean skipOperator(String operator) {
    return skip(atOperator(operator));
  }

  boolean skipName(String name) {
    return skip(atName(name));
  }

  private boolean skip(boolean there) {
    if (there) {
      take();
    }
    return there;
  }

  Token expect(Kind kind, String what) {
    if (!at(kind)) {
      throw unexpected(what);
    }
    return take();
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  InputException unexpected(String expected) {
    return source.error(peek().place(), "found " + peek().shown() + ", expected " + expected);
  }

  /** Goes one level deeper; to be paired with {@link #leave}. */
  void enter() {
    if (depth == maxDepth) {
      throw source.error(
          peek().place(), "the template nests more than " + maxDepth + " levels deep");
    }
    depth++;
  }

  void leave() {
    depth--;
  }
}
