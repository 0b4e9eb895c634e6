package dev.sortie.eetuning.decode.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * What the texts of each rule may begin with.
 *
 * @param reading by rule: states of it that read a byte, before which nothing of it was read
 * @param calls by rule: edges of it that call a rule, before which nothing of it was read
 * @param rank by rule: a rule that another may begin with has a higher one
 */
record Beginnings(int[][] reading, int[][] calls, int[] rank) {

  /**
   * Of an automaton whose nullable states are known.
   *
   * @param leftRecursive the error for a rule that may begin with itself
   */
  static Beginnings of(Automaton a, IntFunction<? extends RuntimeException> leftRecursive) {
    int[][] reading = new int[a.rules()][];
    int[][] calls = new int[a.rules()][];
    for (int rule = 0; rule < a.rules(); rule++) {
      List<Integer> reads = new ArrayList<>();
      List<Integer> called = new ArrayList<>();
      walk(a, a.startOf(rule), reads, called);
      reading[rule] = ints(reads);
      calls[rule] = ints(called);
    }
    return new Beginnings(reading, calls, ranks(a, calls, leftRecursive));
  }

  private static int[] ints(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }

  private static void walk(Automaton a, int start, List<Integer> reads, List<Integer> called) {
    Set<Integer> seen = new HashSet<>(Set.of(start));
    Deque<Integer> open = new ArrayDeque<>(seen);
    while (!open.isEmpty()) {
      int state = open.poll();
      boolean any = false;
      for (int e = a.firstEdge(state); e < a.firstEdge(state + 1); e++) {
        any |= a.reads(e);
        if (a.calls(e)) {
          called.add(e);
        }
        if (!a.reads(e) && a.mayReadNothing(e) && seen.add(a.target(e))) {
          open.add(a.target(e));
        }
      }
      if (any) {
        reads.add(state);
      }
    }
  }

  /** Depth first, each rule after all that it may begin with. */
  private static int[] ranks(
      Automaton a, int[][] calls, IntFunction<? extends RuntimeException> leftRecursive) {
    int[] rank = new int[calls.length];
    int[] next = new int[calls.length];
    Arrays.fill(next, -1); // not begun
    int free = calls.length;
    for (int first = 0; first < calls.length; first++) {
      Deque<Integer> path = new ArrayDeque<>();
      if (next[first] < 0) {
        next[first] = 0;
        path.push(first);
      }
      while (!path.isEmpty()) {
        int rule = path.peek();
        if (next[rule] == calls[rule].length) {
          rank[rule] = free--;
          path.pop();
          continue;
        }
        int callee = a.rule(calls[rule][next[rule]++]);
        if (next[callee] < 0) {
          next[callee] = 0;
          path.push(callee);
        } else if (rank[callee] == 0) {
          throw leftRecursive.apply(callee);
        }
      }
    }
    return rank;
  }
}
