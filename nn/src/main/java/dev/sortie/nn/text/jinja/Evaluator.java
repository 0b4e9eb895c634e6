package dev.sortie.nn.text.jinja;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.jinja.TemplateSource.Place;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Computes expressions. */
final class Evaluator {
  /** A list or dict without its items, as characters: some 60 bytes. */
  private static final int OBJECT = 32;

  private final TemplateSource source;
  private final RenderContext context;

  Evaluator(TemplateSource source, RenderContext context) {
    this.source = source;
    this.context = context;
  }

  /**
   * The value of an expression.
   *
   * @throws InputException naming the place of what cannot be computed
   */
  Object eval(Expr e, Variables scope) {
    try {
      context.budget().step();
      context.budget().enter();
      Object value = value(e, scope);
      context.budget().leave();
      return value;
    } catch (ValueException bad) {
      throw source.error(e.place(), bad.getMessage());
    } catch (Globals.Refusal refusal) {
      throw refused(e.place(), refusal);
    }
  }

  private InputException refused(Place at, Globals.Refusal refusal) {
    return source.error(at, "the template refuses the conversation: " + refusal.getMessage());
  }

  private Object value(Expr e, Variables scope) {
    return switch (e) {
      case Expr.Literal l -> l.value();
      case Expr.Name n -> counted(scope.get(n.name()));
      case Expr.ListOf l -> kept(all(l.items(), scope));
      case Expr.TupleOf t -> new Tuple(kept(all(t.items(), scope)));
      case Expr.DictOf d -> dict(d, scope);
      case Expr.Attribute a -> counted(Access.attribute(eval(a.of(), scope), a.name(), context));
      case Expr.Subscript s ->
          counted(Access.item(eval(s.of(), scope), eval(s.index(), scope), context));
      case Expr.Slice s ->
          Access.slice(
              eval(s.of(), scope),
              part(s.start(), scope),
              part(s.stop(), scope),
              part(s.step(), scope),
              context.budget());
      case Expr.Call c -> call(c, scope);
      case Expr.Filtered f -> filter(f, eval(f.of(), scope), scope);
      case Expr.Tested t -> {
        Object value = eval(t.of(), scope);
        yield Tests.holds(
            context,
            t.name(),
            value,
            arguments("the test '" + t.name() + "'", t.arguments(), scope));
      }
      case Expr.Not n -> !Values.truth(eval(n.of(), scope));
      case Expr.Signed s -> NumberOperators.signed(s.negative(), eval(s.of(), scope));
      case Expr.Binary b -> {
        Object left = eval(b.left(), scope);
        yield NumberOperators.apply(b.operator(), left, eval(b.right(), scope), context.budget());
      }
      case Expr.Concat c -> Splitting.join("", all(c.parts(), scope), context.budget());
      case Expr.Compare c -> compare(c, scope);
      case Expr.Logic l -> logic(l, scope);
      case Expr.Conditional c -> {
        if (Values.truth(eval(c.test(), scope))) {
          yield eval(c.then(), scope);
        }
        yield c.otherwise() != null
            ? eval(c.otherwise(), scope)
            : new Undefined("the inline if has no else, and its test is false");
      }
    };
  }

  private Object part(Expr e, Variables scope) {
    return e == null ? null : eval(e, scope);
  }

  /** A list that the template may keep. */
  private List<Object> kept(List<Object> list) {
    context.budget().make(OBJECT);
    context.budget().items(list.size());
    return list;
  }

  /** A value that is not there says why, and may be kept too. */
  private Object counted(Object value) {
    if (value instanceof Undefined u) {
      context.budget().make(u.reason().length());
    }
    return value;
  }

  private List<Object> all(List<Expr> items, Variables scope) {
    List<Object> values = new ArrayList<>(items.size());
    for (Expr item : items) {
      values.add(eval(item, scope));
    }
    return values;
  }

  private Object dict(Expr.DictOf d, Variables scope) {
    context.budget().make(OBJECT);
    context.budget().items(2L * d.entries().size());
    Map<Object, Object> map = new LinkedHashMap<>();
    for (Expr.Entry entry : d.entries()) {
      Object key = Values.key(eval(entry.key(), scope));
      map.put(key, eval(entry.value(), scope));
    }
    return map;
  }

  private Object logic(Expr.Logic l, Variables scope) {
    Object value = null;
    for (Expr part : l.parts()) {
      value = eval(part, scope);
      if (Values.truth(value) != l.isAnd()) {
        break;
      }
    }
    return value;
  }

  private Object compare(Expr.Compare c, Variables scope) {
    Object left = eval(c.first(), scope);
    for (Expr.Comparison one : c.rest()) {
      Object right = eval(one.operand(), scope);
      boolean holds =
          switch (one.operator()) {
            case "==" -> Comparing.equal(left, right, context.budget());
            case "!=" -> !Comparing.equal(left, right, context.budget());
            case "in" -> Comparing.contains(right, left, context.budget());
            case "not in" -> !Comparing.contains(right, left, context.budget());
            default -> Tests.ordered(one.operator(), left, right, context);
          };
      if (!holds) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object call(Expr.Call c, Variables scope) {
    Object of = eval(c.of(), scope);
    return switch (of) {
      case Function f -> f.call(context, arguments(f.name() + "()", c.arguments(), scope));
      case Undefined u -> throw u.failure();
      case LoopState l -> throw source.unsupported(c.place(), "a recursive loop");
      case null, default -> throw new ValueException(Values.typeName(of) + " cannot be called");
    };
  }

  /** A filter applied to a value. */
  Object filter(Expr.Filtered f, Object value, Variables scope) {
    return Filters.apply(
        context, f.name(), value, arguments("the filter '" + f.name() + "'", f.arguments(), scope));
  }

  private BoundArguments arguments(String callee, Expr.CallArguments given, Variables scope) {
    Map<String, Object> named = new LinkedHashMap<>();
    List<Object> positional =
        given.positional().isEmpty() ? List.of() : all(given.positional(), scope);
    for (Expr.Named one : given.named()) {
      if (named.containsKey(one.name())) {
        throw new ValueException(callee + " has the argument '" + one.name() + "' twice");
      }
      named.put(one.name(), eval(one.value(), scope));
    }
    return new BoundArguments(callee, positional, named);
  }
}
