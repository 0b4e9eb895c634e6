package dev.sortie.eetuning.decode.grammar;

import dev.sortie.nn.InputException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The configurations of an automaton and what leads from one to the next, found out when they are
 * first needed and kept. Not thread-safe.
 */
final class Configurations {
  /** Sets of stacks that are kept; one takes 100 to 500 bytes. */
  private static final int MOST_KEPT = 1 << 14;

  /** Steps for one token of a text: some tens of milliseconds. */
  private static final int MOST_WORK = 1 << 20;

  private final Stacks none = new Stacks(false, new int[0], new Stacks[0]);
  private final Stacks empty = new Stacks(true, new int[0], new Stacks[0]);
  private final String origin;
  private final Automaton automaton;
  private final Map<Stacks, Stacks> kept = new HashMap<>();
  private Map<Pair, Stacks> unions = new HashMap<>();
  private int work;

  Configurations(String origin, Automaton automaton) {
    this.origin = origin;
    this.automaton = automaton;
  }

  private record Pair(Stacks a, Stacks b) {
    @Override
    public boolean equals(Object o) {
      return o instanceof Pair p && p.a == a && p.b == b;
    }

    @Override
    public int hashCode() {
      return 31 * System.identityHashCode(a) + System.identityHashCode(b);
    }
  }

  private record Place(int state, Stacks below) {
    @Override
    public boolean equals(Object o) {
      return o instanceof Place p && p.state == state && p.below == below;
    }

    @Override
    public int hashCode() {
      return 31 * state + System.identityHashCode(below);
    }
  }

  /** Work for another token begins. */
  void begin() {
    work = 0;
    unions = new HashMap<>(); // to clear a large one would take as long as to fill it
    if (kept.size() > MOST_KEPT) {
      forget();
    }
  }

  /** Forgets all configurations; those that texts have stay what they are. */
  void forget() {
    kept.keySet().forEach(Stacks::forget); // or each would keep those that it leads to
    empty.forget();
    kept.clear();
  }

  /** The configuration of the empty text. */
  Stacks first() {
    int root = automaton.root();
    Round round = new Round();
    round.ends = automaton.isNullable(automaton.startOf(root));
    round.called.put(automaton.beginnings().rank()[root], new Call(root, empty));
    return round.result();
  }

  /** The configuration after a byte of a class; a dead one where the byte is forbidden. */
  Stacks next(Stacks s, int byteClass) {
    Stacks[] next = s.next(automaton.classes());
    if (next[byteClass] == null) {
      next[byteClass] = find(s, byteClass);
    }
    return next[byteClass];
  }

  private Stacks find(Stacks s, int byteClass) {
    Round round = new Round();
    for (int i = 0; i < s.count(); i++) {
      for (int e = automaton.firstEdge(s.top(i)); e < automaton.firstEdge(s.top(i) + 1); e++) {
        if (automaton.reads(e, byteClass)) {
          round.reach(automaton.target(e), s.below(i));
        }
      }
      spend(1);
    }
    return round.result();
  }

  private void spend(int steps) {
    work += steps;
    if (work > MOST_WORK) {
      throw new InputException(
          "%s: more than %d steps to see what may come next; the grammar is too ambiguous, make it simpler"
              .formatted(origin, MOST_WORK));
    }
  }

  /** A rule that is called, and the stacks that its texts have below them. */
  private record Call(int rule, Stacks below) {}

  /** From states that were reached to all that read the next byte. */
  private final class Round {
    private final Set<Place> seen = new HashSet<>();
    private final Deque<Place> open = new ArrayDeque<>();
    private final TreeMap<Integer, Stacks> reading = new TreeMap<>();

    /** By rank, so that a rule's turn comes when all that call it had theirs. */
    private final TreeMap<Integer, Call> called = new TreeMap<>();

    private boolean ends;

    void reach(int state, Stacks below) {
      if (below.depth() + automaton.frames(state) <= Automaton.MOST_FRAMES) {
        Place place = new Place(state, below);
        if (seen.add(place)) {
          open.add(place);
        }
      }
    }

    Stacks result() {
      while (!open.isEmpty()) {
        expand(open.poll());
      }
      while (!called.isEmpty()) {
        begin(called.pollFirstEntry().getValue());
      }
      int[] tops = new int[reading.size()];
      Stacks[] below = new Stacks[tops.length];
      int i = 0;
      for (Map.Entry<Integer, Stacks> e : reading.entrySet()) {
        tops[i] = e.getKey();
        below[i++] = e.getValue();
      }
      return keep(ends, tops, below);
    }

    private void expand(Place p) {
      spend(1);
      if (automaton.isEnd(p.state())) {
        ends |= p.below().hasEmpty();
        for (int i = 0; i < p.below().count(); i++) {
          reach(p.below().top(i), p.below().below(i));
        }
      }
      boolean reads = false;
      for (int e = automaton.firstEdge(p.state()); e < automaton.firstEdge(p.state() + 1); e++) {
        reads |= automaton.reads(e);
        if (automaton.calls(e)) {
          add(e, p.below());
        }
        if (automaton.mayReadNothing(e)) {
          reach(automaton.target(e), p.below());
        }
      }
      if (reads) {
        read(p.state(), p.below());
      }
    }

    private void read(int state, Stacks below) {
      reading.merge(state, below, Configurations.this::union);
    }

    /** Notes the call of an edge; what is left of its rule goes onto the stack. */
    private void add(int edge, Stacks below) {
      spend(1);
      int rule = automaton.rule(edge);
      int behind = automaton.target(edge);
      boolean tail = automaton.isTail(edge);
      int frames = automaton.frames(automaton.startOf(rule)) + below.depth();
      boolean fits =
          tail
              ? frames <= Automaton.MOST_FRAMES
              : Math.max(frames + 1, automaton.frames(behind) + below.depth())
                  <= Automaton.MOST_FRAMES;
      if (fits) {
        Stacks under = tail ? below : keep(false, new int[] {behind}, new Stacks[] {below});
        called.merge(
            automaton.beginnings().rank()[rule],
            new Call(rule, under),
            (a, b) -> new Call(rule, union(a.below(), b.below())));
      }
    }

    /** What the texts of a rule begin with. */
    private void begin(Call c) {
      int[] states = automaton.beginnings().reading()[c.rule()];
      spend(1 + states.length);
      for (int state : states) {
        if (c.below().depth() + automaton.frames(state) <= Automaton.MOST_FRAMES) {
          read(state, c.below());
        }
      }
      for (int edge : automaton.beginnings().calls()[c.rule()]) {
        add(edge, c.below());
      }
    }
  }

  private Stacks union(Stacks a, Stacks b) {
    if (a == b) {
      return a;
    }
    Pair pair = new Pair(a, b);
    Stacks known = unions.get(pair);
    if (known == null) {
      known = merge(a, b);
      unions.put(pair, known);
    }
    return known;
  }

  private Stacks merge(Stacks a, Stacks b) {
    spend(1 + a.count() + b.count());
    TreeMap<Integer, Stacks> all = new TreeMap<>();
    for (Stacks s : new Stacks[] {a, b}) {
      for (int i = 0; i < s.count(); i++) {
        all.merge(s.top(i), s.below(i), this::union);
      }
    }
    int[] tops = all.keySet().stream().mapToInt(Integer::intValue).toArray();
    return keep(a.hasEmpty() || b.hasEmpty(), tops, all.values().toArray(Stacks[]::new));
  }

  /** The one object for a set. */
  private Stacks keep(boolean hasEmpty, int[] tops, Stacks[] below) {
    if (tops.length == 0) {
      return hasEmpty ? empty : none;
    }
    Stacks set = new Stacks(hasEmpty, tops, below);
    Stacks known = kept.putIfAbsent(set, set);
    return known == null ? set : known;
  }
}
