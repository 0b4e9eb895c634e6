package dev.sortie.eetuning.decode.grammar;

import dev.sortie.nn.InputException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes the states and edges of an {@link Automaton} from the rules of a grammar. */
final class AutomatonBuilder {
  /** States and edges, which take some 50 bytes each while they are made. */
  private static final int MOST_PARTS = 100_000;

  private static final int DEEPEST = 2_000;

  private final Grammar grammar;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<int[]> edges = new ArrayList<>();
  private int states;
  private int budget = MOST_PARTS;
  private int depth;

  private AutomatonBuilder(Grammar grammar) {
    this.grammar = grammar;
  }

  /**
   * The automaton of a grammar.
   *
   * @throws InputException if it is too large, or a rule begins with itself, or no text ever ends
   */
  static Automaton build(Grammar grammar) {
    AutomatonBuilder b = new AutomatonBuilder(grammar);
    grammar.rules().keySet().forEach(name -> b.numbers.put(name, b.numbers.size()));
    int[] starts = new int[b.numbers.size()];
    int[] ends = new int[starts.length];
    int rule = 0;
    for (Expression body : grammar.rules().values()) {
      starts[rule] = b.state();
      ends[rule] = b.add(body, starts[rule]);
      rule++;
    }
    return new Automaton(grammar, b.states, b.edges, starts, ends, b.numbers.get(grammar.root()));
  }

  /** Adds what an expression reads from a state on; the state after it. */
  private int add(Expression e, int from) {
    if (++depth > DEEPEST) {
      throw tooLarge("is nested more than " + DEEPEST + " deep");
    }
    int to =
        switch (e) {
          case Expression.Text t -> text(t.text(), from, new HashMap<>());
          case Expression.OneOf c -> oneOf(c.set(), from);
          case Expression.Sequence s -> {
            int at = from;
            for (Expression part : s.parts()) {
              at = add(part, at);
            }
            yield at;
          }
          case Expression.Choice c -> choice(c, from);
          case Expression.Repeat r -> repeat(r, from);
          case Expression.Call c -> {
            int behind = state();
            edge(from, Automaton.call(numbers.get(c.rule())), behind);
            yield behind;
          }
        };
    depth--;
    return to;
  }

  /** Texts share the states of what they begin with alike, so that a long list of them is quick. */
  private int choice(Expression.Choice choice, int from) {
    int to = state();
    Map<Long, Integer> begun = new HashMap<>();
    for (Expression alternative : choice.alternatives()) {
      int end =
          alternative instanceof Expression.Text t
              ? text(t.text(), from, begun)
              : add(alternative, from);
      edge(end, Automaton.NOTHING, to);
    }
    return to;
  }

  /**
   * Adds a text.
   *
   * @param begun what texts have added from here on: the state after a state and a byte
   */
  private int text(String text, int from, Map<Long, Integer> begun) {
    int at = from;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      int value = b & 0xFF;
      long key = ((long) at << 8) | value;
      Integer next = begun.get(key);
      if (next == null) {
        next = state();
        edge(at, Automaton.bytes(value, value), next);
        begun.put(key, next);
      }
      at = next;
    }
    return at;
  }

  /** Sequences of bytes share the states of what they end with alike. */
  private int oneOf(CodePoints set, int from) {
    int to = state();
    Map<List<Utf8Ranges.Bytes>, Integer> known = new HashMap<>();
    known.put(List.of(), to);
    for (List<Utf8Ranges.Bytes> sequence : Utf8Ranges.of(set)) {
      for (int i = sequence.size() - 1; i > 0; i--) {
        List<Utf8Ranges.Bytes> rest = sequence.subList(i, sequence.size());
        if (!known.containsKey(rest)) {
          int state = state();
          int behind = known.get(rest.subList(1, rest.size()));
          edge(state, Automaton.bytes(rest.getFirst().first(), rest.getFirst().last()), behind);
          known.put(rest, state);
        }
      }
      Utf8Ranges.Bytes first = sequence.getFirst();
      edge(
          from,
          Automaton.bytes(first.first(), first.last()),
          known.get(sequence.subList(1, sequence.size())));
    }
    return to;
  }

  private int repeat(Expression.Repeat r, int from) {
    int at = from;
    for (int i = 0; i < r.least(); i++) {
      spend();
      at = add(r.repeated(), at);
    }
    int to = state();
    if (r.most() == Expression.UNBOUNDED) {
      edge(at, Automaton.NOTHING, to);
      edge(add(r.repeated(), to), Automaton.NOTHING, to);
      return to;
    }
    for (int i = r.least(); i < r.most(); i++) {
      spend();
      edge(at, Automaton.NOTHING, to);
      at = add(r.repeated(), at);
    }
    edge(at, Automaton.NOTHING, to);
    return to;
  }

  private int state() {
    spend();
    return states++;
  }

  private void spend() {
    if (--budget < 0) {
      throw tooLarge("has more than %d states and edges".formatted(MOST_PARTS));
    }
  }

  private void edge(int from, int label, int to) {
    spend();
    edges.add(new int[] {from, label, to});
  }

  private InputException tooLarge(String how) {
    return new InputException(
        "%s %s; make it smaller: long repetitions take a state for each time"
            .formatted(grammar.origin(), how));
  }
}
