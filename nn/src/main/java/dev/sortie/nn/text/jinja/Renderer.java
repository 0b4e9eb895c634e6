package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.TemplateValue.Namespace;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Runs statements. */
final class Renderer {
  /** How a body ended. */
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  /** Values that a block of a few variables counts as. */
  private static final int CLOSURE = 10;

  /** An entry of a block, as characters. */
  private static final int VARIABLE = 16;

  private final TemplateSource source;
  private final Evaluator evaluator;
  private final Budget budget;

  Renderer(TemplateSource source, RenderContext context) {
    this.source = source;
    this.evaluator = new Evaluator(source, context);
    this.budget = context.budget();
  }

  String render(List<Statement> body, Variables scope) {
    StringBuilder out = new StringBuilder();
    run(body, scope, out);
    return out.toString();
  }

  private Flow run(List<Statement> body, Variables scope, StringBuilder out) {
    for (Statement node : body) {
      Flow flow;
      try {
        budget.step();
        budget.enter();
        flow = run(node, scope, out);
        budget.leave();
      } catch (ValueException bad) {
        throw source.error(node.place(), bad.getMessage());
      }
      if (flow != Flow.NEXT) {
        return flow;
      }
    }
    return Flow.NEXT;
  }

  private Flow run(Statement node, Variables scope, StringBuilder out) {
    switch (node) {
      case Statement.Data d -> append(d.text(), out);
      case Statement.Output o ->
          append(PythonText.of(evaluator.eval(o.value(), scope), budget), out);
      case Statement.If i -> {
        return choose(i, scope, out);
      }
      case Statement.For f -> {
        return loop(f, scope, out);
      }
      case Statement.Set s -> assign(s.target(), evaluator.eval(s.value(), scope), scope);
      case Statement.SetBlock s -> {
        return capture(s.body(), s.filters(), scope, value -> assign(s.target(), value, scope));
      }
      case Statement.FilterBlock f -> {
        return capture(
            f.body(), f.filters(), scope, value -> append(PythonText.of(value, budget), out));
      }
      case Statement.Macro m -> {
        budget.items(CLOSURE); // it keeps the block that it stands in
        scope.set(m.name(), new Macro(m, scope));
      }
      case Statement.Scoped s -> {
        return run(s.body(), new Variables(scope), out);
      }
      case Statement.Break b -> {
        return Flow.BREAK;
      }
      case Statement.Continue c -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.NEXT;
  }

  private void append(String text, StringBuilder out) {
    budget.make(2L * text.length()); // a buffer has room for as much again
    budget.length((long) out.length() + text.length());
    out.append(text);
  }

  private Flow choose(Statement.If node, Variables scope, StringBuilder out) {
    for (Statement.Branch branch : node.branches()) {
      if (branch.test() == null || Values.truth(evaluator.eval(branch.test(), scope))) {
        return run(branch.body(), scope, out);
      }
    }
    return Flow.NEXT;
  }

  private Flow loop(Statement.For f, Variables scope, StringBuilder out) {
    List<Object> items = Values.items(evaluator.eval(f.items(), scope), budget);
    if (f.filter() != null) {
      items = kept(f, items, scope);
    }
    budget.items(1);
    LoopState loop = new LoopState(items);
    boolean reachedEnd = false;
    for (int i = 0; i < items.size(); i++) {
      loop.at(i);
      Variables inner = new Variables(scope);
      assign(f.target(), items.get(i), inner);
      inner.set("loop", loop);
      Flow flow = run(f.body(), inner, out);
      if (flow == Flow.BREAK) {
        break;
      }
      reachedEnd |= flow == Flow.NEXT;
    }
    // as in Jinja2, which notes at the end of the body that there was an iteration
    return reachedEnd ? Flow.NEXT : run(f.otherwise(), new Variables(scope), out);
  }

  private List<Object> kept(Statement.For f, List<Object> items, Variables scope) {
    budget.items(items.size());
    List<Object> kept = new ArrayList<>();
    for (Object item : items) {
      Variables inner = new Variables(scope);
      assign(f.target(), item, inner);
      if (Values.truth(evaluator.eval(f.filter(), inner))) {
        kept.add(item);
      }
    }
    return kept;
  }

  /**
   * Gives what a body renders, passed through filters, to {@code use}. A body that breaks or
   * continues the loop around it gives nothing.
   */
  private Flow capture(
      List<Statement> body, List<Expr.Filtered> filters, Variables scope, Consumer<Object> use) {
    StringBuilder text = new StringBuilder();
    Flow flow = run(body, new Variables(scope), text);
    if (flow == Flow.NEXT) {
      Object value = budget.made(text.toString());
      for (Expr.Filtered filter : filters) {
        value = evaluator.filter(filter, value, scope);
      }
      use.accept(value);
    }
    return flow;
  }

  private void assign(Statement.Target target, Object value, Variables scope) {
    switch (target) {
      case Statement.NameTarget n -> {
        budget.make(VARIABLE);
        scope.set(n.name(), value);
      }
      case Statement.AttributeTarget a -> {
        if (!(scope.get(a.namespace()) instanceof Namespace namespace)) {
          throw source.error(
              a.place(),
              "'" + a.namespace() + "' is no namespace, so its attributes cannot be set");
        }
        namespace.set(a.name(), value);
      }
      case Statement.TupleTarget t -> {
        List<Object> parts = Values.items(value, budget);
        if (parts.size() != t.parts().size()) {
          throw source.error(
              t.place(), "%d values for %d names".formatted(parts.size(), t.parts().size()));
        }
        for (int i = 0; i < parts.size(); i++) {
          assign(t.parts().get(i), parts.get(i), scope);
        }
      }
    }
  }

  /** A macro with the block it stands in. */
  final class Macro implements Function {
    private final Statement.Macro node;
    private final Variables defined;

    Macro(Statement.Macro node, Variables defined) {
      this.node = node;
      this.defined = defined;
    }

    @Override
    public String name() {
      return node.name();
    }

    @Override
    public Object call(RenderContext context, BoundArguments arguments) {
      Variables scope = new Variables(defined);
      for (Statement.Parameter p : node.parameters()) {
        if (arguments.has(p.name())) {
          scope.set(p.name(), arguments.required(p.name()));
        } else if (p.fallback() != null) {
          scope.set(p.name(), evaluator.eval(p.fallback(), scope));
        } else {
          scope.set(p.name(), new Undefined("parameter '" + p.name() + "' was not provided"));
        }
      }
      arguments.end();
      return budget.made(render(node.body(), scope));
    }
  }
}
