package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses what binds tightest: names, literals, subscripts, calls, filters and tests. */
final class PrimaryParser {
  private static final Set<String> AFTER_TEST = Set.of("else", "or", "and");

  private final Tokens tokens;
  private final ExpressionParser expressions;

  PrimaryParser(Tokens tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  Expr primary() {
    Token t = tokens.peek();
    switch (t.kind()) {
      case NAME:
        tokens.take();
        return name(t);
      case STRING:
        StringBuilder text = new StringBuilder();
        while (tokens.at(Kind.STRING)) {
          text.append(tokens.take().text());
        }
        return new Expr.Literal(t.place(), text.toString());
      case INTEGER:
        tokens.take();
        return new Expr.Literal(t.place(), integer(t));
      case FLOAT:
        tokens.take();
        return new Expr.Literal(t.place(), Double.parseDouble(t.text().replace("_", "")));
      default:
        return switch (t.kind() == Kind.OPERATOR ? t.text() : "") {
          case "(" -> parenthesis();
          case "[" -> new Expr.ListOf(tokens.take().place(), items("]"));
          case "{" -> dict();
          default -> throw tokens.unexpected("a value");
        };
    }
  }

  private Expr name(Token t) {
    return switch (t.text()) {
      case "true", "True" -> new Expr.Literal(t.place(), true);
      case "false", "False" -> new Expr.Literal(t.place(), false);
      case "none", "None" -> new Expr.Literal(t.place(), null);
      default -> expressions.name(t);
    };
  }

  private Object integer(Token t) {
    String digits = t.text().replace("_", "");
    int radix =
        digits.length() < 2
            ? 10
            : switch (digits.charAt(1)) {
              case 'x', 'X' -> 16;
              case 'o', 'O' -> 8;
              case 'b', 'B' -> 2;
              default -> 10;
            };
    BigInteger value = new BigInteger(radix == 10 ? digits : digits.substring(2), radix);
    if (value.bitLength() > 63) {
      throw tokens.source().unsupported(t.place(), "an integer of more than 64 bits");
    }
    return value.longValue();
  }

  private Expr parenthesis() {
    Token open = tokens.take();
    if (tokens.skipOperator(")")) {
      return new Expr.TupleOf(open.place(), List.of());
    }
    Expr e = expressions.tuple(true);
    tokens.expectOperator(")");
    return e;
  }

  private List<Expr> items(String close) {
    List<Expr> items = new ArrayList<>();
    while (!tokens.skipOperator(close)) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(close)) {
          break;
        }
      }
      items.add(expressions.expression());
    }
    return List.copyOf(items);
  }

  private Expr dict() {
    Token open = tokens.take();
    List<Expr.Entry> entries = new ArrayList<>();
    while (!tokens.skipOperator("}")) {
      if (!entries.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator("}")) {
          break;
        }
      }
      Expr key = expressions.expression();
      tokens.expectOperator(":");
      entries.add(new Expr.Entry(key, expressions.expression()));
    }
    return new Expr.DictOf(open.place(), List.copyOf(entries));
  }

  /** Attributes, subscripts and calls after {@code e}. */
  Expr postfix(Expr e) {
    while (true) {
      Token t = tokens.peek();
      if (tokens.skipOperator(".")) {
        e = attribute(e, t);
      } else if (tokens.skipOperator("[")) {
        e = subscript(e, t);
      } else if (tokens.atOperator("(")) {
        e = new Expr.Call(t.place(), e, arguments());
      } else {
        return e;
      }
    }
  }

  private Expr attribute(Expr of, Token dot) {
    Token name = tokens.peek();
    if (name.kind() == Kind.INTEGER) {
      tokens.take();
      return new Expr.Subscript(dot.place(), of, new Expr.Literal(name.place(), integer(name)));
    }
    return new Expr.Attribute(
        dot.place(), of, tokens.expect(Kind.NAME, "a name or number after '.'").text());
  }

  private Expr subscript(Expr of, Token bracket) {
    Expr start = tokens.atOperator(":") ? null : expressions.expression();
    if (start != null && tokens.skipOperator("]")) {
      return new Expr.Subscript(bracket.place(), of, start);
    }
    if (tokens.atOperator(",")) {
      throw tokens.source().unsupported(tokens.peek().place(), "a subscript with a comma");
    }
    tokens.expectOperator(":");
    Expr stop = atSliceEnd() ? null : expressions.expression();
    Expr step = null;
    if (tokens.skipOperator(":")) {
      step = tokens.atOperator("]") ? null : expressions.expression();
    }
    tokens.expectOperator("]");
    return new Expr.Slice(bracket.place(), of, start, stop, step);
  }

  private boolean atSliceEnd() {
    return tokens.atOperator("]") || tokens.atOperator(":");
  }

  /** Filters, tests and calls after {@code e}. */
  Expr filters(Expr e) {
    while (true) {
      if (tokens.atOperator("|")) {
        e = filter(e);
      } else if (tokens.atName("is")) {
        e = test(e);
      } else if (tokens.atOperator("(")) {
        e = new Expr.Call(tokens.peek().place(), e, arguments());
      } else {
        return e;
      }
    }
  }

  /** One filter, from its bar on; {@code of} may be null. */
  Expr.Filtered filter(Expr of) {
    tokens.expectOperator("|");
    return namedFilter(of);
  }

  /** One filter, from its name on. */
  Expr.Filtered namedFilter(Expr of) {
    Token name = dotted("a filter's name");
    if (!expressions.inBranch() && !Filters.isKnown(name.text())) {
      throw tokens.source().unsupported(name.place(), "the filter '" + name.text() + "'");
    }
    Expr.CallArguments arguments = tokens.atOperator("(") ? arguments() : Expr.CallArguments.NONE;
    return new Expr.Filtered(name.place(), of, name.text(), arguments);
  }

  private Token dotted(String what) {
    Token name = tokens.expect(Kind.NAME, what);
    if (tokens.atOperator(".")) {
      throw tokens.source().unsupported(name.place(), what + " with a dot");
    }
    return name;
  }

  private Expr test(Expr of) {
    tokens.expectName("is");
    boolean not = tokens.skipName("not");
    Token name = dotted("a test's name");
    if (!expressions.inBranch() && !Tests.isKnown(name.text())) {
      throw tokens.source().unsupported(name.place(), "the test '" + name.text() + "'");
    }
    Expr.CallArguments arguments = Expr.CallArguments.NONE;
    if (tokens.atOperator("(")) {
      arguments = arguments();
    } else if (beginsArgument(tokens.peek())) {
      if (tokens.atName("is")) {
        throw tokens.source().error(tokens.peek().place(), "tests with 'is' cannot be chained");
      }
      arguments = new Expr.CallArguments(List.of(postfix(primary())), List.of());
    }
    Expr tested = new Expr.Tested(name.place(), of, name.text(), arguments);
    return not ? new Expr.Not(name.place(), tested) : tested;
  }

  private static boolean beginsArgument(Token t) {
    return switch (t.kind()) {
      case NAME -> !AFTER_TEST.contains(t.text());
      case STRING, INTEGER, FLOAT -> true;
      default -> t.isOperator("[") || t.isOperator("{");
    };
  }

  private Expr.CallArguments arguments() {
    tokens.expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    List<Expr.Named> named = new ArrayList<>();
    boolean first = true;
    while (!tokens.skipOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(")")) {
          break;
        }
      }
      first = false;
      if (tokens.atOperator("*") || tokens.atOperator("**")) {
        Token star = tokens.peek();
        throw tokens.source().unsupported(star.place(), "'" + star.text() + "' before an argument");
      }
      if (tokens.at(Kind.NAME) && tokens.peekSecond().isOperator("=")) {
        String name = tokens.take().text();
        tokens.take();
        named.add(new Expr.Named(name, expressions.expression()));
      } else if (named.isEmpty()) {
        positional.add(expressions.expression());
      } else {
        throw tokens.unexpected("an argument with a name, since one stands before it");
      }
    }
    return new Expr.CallArguments(List.copyOf(positional), List.copyOf(named));
  }
}
