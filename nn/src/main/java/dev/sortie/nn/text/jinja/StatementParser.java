package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateSource.Place;
import dev.sortie.nn.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses statements. */
final class StatementParser {
  private static final Set<String> CONSTANTS =
      Set.of("true", "false", "none", "True", "False", "None");

  private final Tokens tokens;
  private final ExpressionParser expressions;
  private final PrimaryParser primary;
  private int loops;

  private StatementParser(Tokens tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
    this.primary = new PrimaryParser(tokens, expressions);
  }

  /** All statements of a template. */
  static List<Statement> parse(TemplateSource source, int maxDepth) {
    StatementParser parser = new StatementParser(new Tokens(source, maxDepth));
    return parser.body(Set.of());
  }

  /**
   * Statements up to one whose word is in {@code ends}; that word is the next token. With no ends,
   * all up to the end of the template.
   */
  private List<Statement> body(Set<String> ends) {
    tokens.enter();
    List<Statement> nodes = new ArrayList<>();
    while (true) {
      Token t = tokens.take();
      switch (t.kind()) {
        case DATA -> nodes.add(new Statement.Data(t.place(), t.text()));
        case OUTPUT_BEGIN -> {
          nodes.add(new Statement.Output(t.place(), expressions.tuple(true)));
          tokens.expect(Kind.OUTPUT_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          if (tokens.at(Kind.NAME) && ends.contains(tokens.peek().text())) {
            tokens.leave();
            return List.copyOf(nodes);
          }
          nodes.add(statement(tokens.expect(Kind.NAME, "a statement")));
        }
        default -> {
          if (!ends.isEmpty()) {
            throw tokens.unexpected(
                "'{% " + String.join(" %}' or '{% ", ends.stream().sorted().toList()) + " %}'");
          }
          tokens.leave();
          return List.copyOf(nodes);
        }
      }
    }
  }

  private void endBlock() {
    tokens.expect(Kind.BLOCK_END, "'%}'");
  }

  private List<Statement> bodyUpTo(String end) {
    endBlock();
    List<Statement> body = body(Set.of(end));
    tokens.expectName(end);
    endBlock();
    return body;
  }

  private Statement statement(Token word) {
    Place at = word.place();
    return switch (word.text()) {
      case "if" -> branches(at);
      case "for" -> loop(at);
      case "set" -> set(at);
      case "macro" -> macro(at);
      case "filter" -> filterBlock(at);
      case "generation" -> new Statement.Scoped(at, bodyUpTo("endgeneration"));
      case "break", "continue" -> {
        if (loops == 0) {
          throw tokens.source().error(at, "'" + word.text() + "' stands outside of a loop");
        }
        endBlock();
        yield word.text().equals("break") ? new Statement.Break(at) : new Statement.Continue(at);
      }
      default -> {
        if (word.text().startsWith("end") || Set.of("else", "elif").contains(word.text())) {
          throw tokens.source().error(at, "'" + word.text() + "' ends or divides nothing");
        }
        throw tokens.source().unsupported(at, "the statement '" + word.text() + "'");
      }
    };
  }

  private Statement branches(Place at) {
    List<Statement.Branch> branches = new ArrayList<>();
    Expr test = expressions.tuple(false);
    while (true) {
      endBlock();
      Set<String> ends = test == null ? Set.of("endif") : Set.of("elif", "else", "endif");
      expressions.enterBranch();
      branches.add(new Statement.Branch(test, body(ends)));
      expressions.leaveBranch();
      if (tokens.skipName("elif")) {
        test = expressions.tuple(false);
      } else if (tokens.skipName("else")) {
        test = null;
      } else {
        tokens.expectName("endif");
        endBlock();
        return new Statement.If(at, List.copyOf(branches));
      }
    }
  }

  private Statement loop(Place at) {
    Statement.Target target = target(false);
    tokens.expectName("in");
    Expr items = expressions.tuple(false);
    Expr filter = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.atName("recursive")) {
      throw tokens.source().unsupported(tokens.peek().place(), "'recursive' in a loop");
    }
    endBlock();
    loops++;
    List<Statement> body = body(Set.of("else", "endfor"));
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.skipName("else")) {
      endBlock();
      otherwise = body(Set.of("endfor"));
    }
    tokens.expectName("endfor");
    endBlock();
    return new Statement.For(at, target, items, filter, body, otherwise);
  }

  private Statement set(Place at) {
    Statement.Target target = target(true);
    if (tokens.skipOperator("=")) {
      Expr value = expressions.tuple(true);
      endBlock();
      return new Statement.Set(at, target, value);
    }
    List<Expr.Filtered> filters = new ArrayList<>();
    while (tokens.atOperator("|")) {
      filters.add(primary.filter(null));
    }
    return new Statement.SetBlock(at, target, List.copyOf(filters), bodyUpTo("endset"));
  }

  private Statement filterBlock(Place at) {
    List<Expr.Filtered> filters = new ArrayList<>(List.of(primary.namedFilter(null)));
    while (tokens.atOperator("|")) {
      filters.add(primary.filter(null));
    }
    return new Statement.FilterBlock(at, List.copyOf(filters), bodyUpTo("endfilter"));
  }

  private Statement.Target target(boolean namespaces) {
    Place at = tokens.peek().place();
    Statement.Target first = innerTarget(namespaces);
    if (!tokens.atOperator(",")) {
      return first;
    }
    List<Statement.Target> parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",") && (tokens.at(Kind.NAME) || tokens.atOperator("("))) {
      if (tokens.atName("in")) {
        break;
      }
      parts.add(innerTarget(namespaces));
    }
    return new Statement.TupleTarget(at, List.copyOf(parts));
  }

  private Statement.Target innerTarget(boolean namespaces) {
    if (!tokens.skipOperator("(")) {
      return oneTarget(namespaces);
    }
    tokens.enter();
    Statement.Target inner = target(namespaces);
    tokens.expectOperator(")");
    tokens.leave();
    return inner;
  }

  private Statement.Target oneTarget(boolean namespaces) {
    Token name = tokens.expect(Kind.NAME, "a name to assign to");
    if (CONSTANTS.contains(name.text())) {
      throw tokens.source().error(name.place(), "'" + name.text() + "' cannot be assigned to");
    }
    if (namespaces && tokens.skipOperator(".")) {
      String attribute = tokens.expect(Kind.NAME, "an attribute's name").text();
      return new Statement.AttributeTarget(name.place(), name.text(), attribute);
    }
    return new Statement.NameTarget(name.place(), name.text());
  }

  private Statement macro(Place at) {
    String name = tokens.expect(Kind.NAME, "the macro's name").text();
    tokens.expectOperator("(");
    List<Statement.Parameter> parameters = new ArrayList<>();
    while (!tokens.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(")")) {
          break;
        }
      }
      Token parameter = tokens.expect(Kind.NAME, "a parameter");
      Expr fallback = tokens.skipOperator("=") ? expressions.expression() : null;
      if (fallback == null && !parameters.isEmpty() && parameters.getLast().fallback() != null) {
        throw tokens
            .source()
            .error(parameter.place(), "a parameter without default follows one with a default");
      }
      parameters.add(new Statement.Parameter(parameter.text(), fallback));
    }
    int outer = loops;
    loops = 0;
    expressions.enterMacro();
    List<Statement> body = bodyUpTo("endmacro");
    expressions.leaveMacro();
    loops = outer;
    return new Statement.Macro(at, name, List.copyOf(parameters), body);
  }
}
