package dev.sortie.eetuning.decode.grammar;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A context-free grammar: which texts there are.
 *
 * @param origin names it in messages, such as a file
 * @param root name of the rule whose texts are meant
 * @param rules by name
 */
public record Grammar(String origin, String root, SequencedMap<String, Expression> rules) {

  /**
   * Keeps a copy.
   *
   * @throws InputException if a rule is used that is not there
   */
  public Grammar {
    rules = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(rules));
    Deque<Expression> open = new ArrayDeque<>(rules.values());
    open.add(new Expression.Call(root));
    while (!open.isEmpty()) {
      switch (open.poll()) {
        case Expression.Sequence s -> open.addAll(s.parts());
        case Expression.Choice c -> open.addAll(c.alternatives());
        case Expression.Repeat r -> open.add(r.repeated());
        case Expression.Call c -> {
          if (!rules.containsKey(c.rule())) {
            throw new InputException(
                "%s: there is no rule %s; define it".formatted(origin, Printable.value(c.rule())));
          }
        }
        case Expression.Text _, Expression.OneOf _ -> {}
      }
    }
  }
}
