package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateSource.Place;
import dev.sortie.nn.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Parses expressions by recursive descent, one method a level of precedence, loosest first: inline
 * if; or; and; not; comparison; plus and minus; tilde; times, division and remainder; power; sign,
 * filters and tests.
 */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> CALLER = Set.of("caller", "varargs", "kwargs");

  private final Tokens tokens;
  private final PrimaryParser primary;

  /** Macros the parser is inside of: there Jinja sets variables that nobody declared. */
  private int macros;

  /** Branches of an if it is inside of. */
  private int branches;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
    this.primary = new PrimaryParser(tokens, this);
  }

  void enterBranch() {
    branches++;
  }

  void leaveBranch() {
    branches--;
  }

  /** Whether this may never be run, so that Jinja looks filters and tests up when it is. */
  boolean inBranch() {
    return branches > 0;
  }

  void enterMacro() {
    macros++;
  }

  void leaveMacro() {
    macros--;
  }

  /** A name as a value. */
  Expr name(Token token) {
    if (macros > 0 && CALLER.contains(token.text())) {
      throw tokens.source().unsupported(token.place(), "'" + token.text() + "' in a macro");
    }
    return new Expr.Name(token.place(), token.text());
  }

  /** An expression, with inline if. */
  Expr expression() {
    tokens.enter();
    Expr e = conditional();
    tokens.leave();
    return e;
  }

  /** An expression or, with commas, a tuple. */
  Expr tuple(boolean conditional) {
    Token first = tokens.peek();
    Expr one = conditional ? expression() : disjunction();
    if (!tokens.atOperator(",")) {
      return one;
    }
    List<Expr> items = new ArrayList<>(List.of(one));
    while (tokens.skipOperator(",") && !endsTuple()) {
      items.add(conditional ? expression() : disjunction());
    }
    return new Expr.TupleOf(first.place(), List.copyOf(items));
  }

  private boolean endsTuple() {
    return tokens.at(Kind.OUTPUT_END)
        || tokens.at(Kind.BLOCK_END)
        || tokens.atOperator(")")
        || tokens.atName("recursive")
        || tokens.atName("if");
  }

  private Expr conditional() {
    Expr then = logic(false);
    while (tokens.atName("if")) {
      Token word = tokens.take();
      Expr test = logic(false);
      Expr otherwise = tokens.skipName("else") ? expression() : null;
      then = new Expr.Conditional(word.place(), test, then, otherwise);
    }
    return then;
  }

  /** An expression without inline if, as loops and conditions take it. */
  Expr disjunction() {
    tokens.enter();
    Expr e = logic(false);
    tokens.leave();
    return e;
  }

  private Expr logic(boolean isAnd) {
    Token start = tokens.peek();
    Expr first = isAnd ? negation() : logic(true);
    String word = isAnd ? "and" : "or";
    if (!tokens.atName(word)) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (tokens.skipName(word)) {
      parts.add(isAnd ? negation() : logic(true));
    }
    return new Expr.Logic(start.place(), isAnd, List.copyOf(parts));
  }

  private Expr negation() {
    if (!tokens.atName("not")) {
      return comparison();
    }
    tokens.enter();
    Place place = tokens.take().place();
    Expr e = new Expr.Not(place, negation());
    tokens.leave();
    return e;
  }

  private Expr comparison() {
    Token start = tokens.peek();
    Expr first = sum();
    List<Expr.Comparison> rest = new ArrayList<>();
    while (true) {
      Token t = tokens.peek();
      if (t.kind() == Kind.OPERATOR && COMPARISONS.contains(t.text())) {
        tokens.take();
        rest.add(new Expr.Comparison(t.text(), sum()));
      } else if (tokens.skipName("in")) {
        rest.add(new Expr.Comparison("in", sum()));
      } else if (t.isName("not") && tokens.peekSecond().isName("in")) {
        tokens.take();
        tokens.take();
        rest.add(new Expr.Comparison("not in", sum()));
      } else {
        break;
      }
    }
    return rest.isEmpty() ? first : new Expr.Compare(start.place(), first, List.copyOf(rest));
  }

  private Expr sum() {
    Expr left = concat();
    while (tokens.atOperator("+") || tokens.atOperator("-")) {
      Token operator = tokens.take();
      left = new Expr.Binary(operator.place(), operator.text(), left, concat());
    }
    return left;
  }

  private Expr concat() {
    Token start = tokens.peek();
    Expr first = product();
    if (!tokens.atOperator("~")) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concat(start.place(), List.copyOf(parts));
  }

  private Expr product() {
    Expr left = power();
    while (tokens.atOperator("*")
        || tokens.atOperator("/")
        || tokens.atOperator("//")
        || tokens.atOperator("%")) {
      Token operator = tokens.take();
      left = new Expr.Binary(operator.place(), operator.text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = signed(true);
    while (tokens.atOperator("**")) {
      Token operator = tokens.take();
      left = new Expr.Binary(operator.place(), operator.text(), left, signed(true));
    }
    return left;
  }

  private Expr signed(boolean withFilters) {
    Expr e;
    if (tokens.atOperator("-") || tokens.atOperator("+")) {
      tokens.enter();
      Token sign = tokens.take();
      e = new Expr.Signed(sign.place(), sign.isOperator("-"), signed(false));
      tokens.leave();
    } else {
      e = primary.primary();
    }
    e = primary.postfix(e);
    return withFilters ? primary.filters(e) : e;
  }
}
