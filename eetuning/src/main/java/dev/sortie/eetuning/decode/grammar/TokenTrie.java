package dev.sortie.eetuning.decode.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Tokens by their bytes, as a tree: tokens that begin alike share the nodes of their beginning, so
 * that what a grammar forbids there is found out once for all of them. Nodes stand in the order of
 * a walk that visits a node before those below it.
 */
final class TokenTrie {
  private final byte[] bytes;
  private final int[] depths;

  /** The next node that is not below. */
  private final int[] behind;

  /** Tokens by node: those up to the first of the next node end here. */
  private final int[] firstToken;

  private final int[] tokens;
  private final int deepest;

  /**
   * @param spelled bytes by token; null or empty for tokens that are left out
   */
  TokenTrie(byte[][] spelled) {
    tokens =
        IntStream.range(0, spelled.length)
            .filter(id -> spelled[id] != null && spelled[id].length > 0)
            .boxed()
            .sorted((a, b) -> Arrays.compareUnsigned(spelled[a], spelled[b]))
            .mapToInt(Integer::intValue)
            .toArray();
    int most = Arrays.stream(tokens).map(id -> spelled[id].length).sum();
    byte[] allBytes = new byte[most];
    int[] allDepths = new int[most];
    int[] endings = new int[most + 1];
    int count = 0;
    byte[] before = {};
    for (int id : tokens) {
      byte[] now = spelled[id];
      int same = Arrays.mismatch(before, now);
      for (int i = same < 0 ? now.length : same; i < now.length; i++) {
        allBytes[count] = now[i];
        allDepths[count++] = i + 1;
      }
      endings[count]++; // of the node added last: a text stands after those that begin it
      before = now;
    }
    bytes = Arrays.copyOf(allBytes, count);
    depths = Arrays.copyOf(allDepths, count);
    firstToken = Arrays.copyOf(endings, count + 1);
    Arrays.parallelPrefix(firstToken, Integer::sum);
    behind = new int[count];
    for (int n = count - 1; n >= 0; n--) {
      int next = n + 1;
      while (next < count && depths[next] > depths[n]) {
        next = behind[next];
      }
      behind[n] = next;
    }
    deepest = Arrays.stream(depths).max().orElse(0);
  }

  /**
   * How a byte leads from one state of a text to the next.
   *
   * @param <S> state of a text
   */
  interface Step<S> {
    /** The state after a byte; null where the byte is forbidden. */
    S next(S at, int unsignedByte);
  }

  /** The tokens that a text in this state may continue with, not sorted. */
  <S> int[] allowed(S from, Step<S> step) {
    List<S> path = new ArrayList<>(Collections.nCopies(deepest + 1, from));
    int[] allowed = new int[64];
    int count = 0;
    for (int n = 0; n < bytes.length; ) {
      S s = step.next(path.get(depths[n] - 1), bytes[n] & 0xFF);
      if (s == null) {
        n = behind[n];
        continue;
      }
      path.set(depths[n], s);
      for (int t = firstToken[n]; t < firstToken[n + 1]; t++) {
        allowed = count == allowed.length ? Arrays.copyOf(allowed, 2 * count) : allowed;
        allowed[count++] = tokens[t];
      }
      n++;
    }
    return Arrays.copyOf(allowed, count);
  }

  /** The tokens that a text in this state may not continue with, rising. */
  <S> int[] forbidden(S from, Step<S> step) {
    BitSet left = new BitSet();
    Arrays.stream(tokens).forEach(left::set);
    Arrays.stream(allowed(from, step)).forEach(left::clear);
    return left.stream().toArray();
  }
}
