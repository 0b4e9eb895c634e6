package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Arrays;
import java.util.List;

/**
 * The work of {@link EarlyExit} on one text, repeated on a table: layers of a segment run over all
 * tokens that lack them, draft tokens among them.
 */
final class ExitReplay {
  private final CostTable table;
  private final List<ExitCost> exits;
  private final ExitSchedule schedule;

  /** Segments that have layers, and so may have to wait: an exit after the last layer ends one. */
  private final int segments;

  /** Positions done by each segment, and by each exit's own layer. */
  private final int[] done;

  private final int[] exitDone;

  /** To which position each exit has been asked, and the whole head read. */
  private final int[] heard;

  private int read;

  /** Where the tokens read so far end, draft tokens among them. */
  private int ahead;

  /** Before the token at position {@code first}; all before it are complete. */
  ExitReplay(EarlyExitCost cost, int first) {
    this.table = cost.table();
    this.exits = cost.active().stream().map(table::exit).toList();
    boolean behindLast = !exits.isEmpty() && exits.getLast().depth() == table.layers();
    this.segments = exits.size() + (behindLast ? 0 : 1);
    this.schedule = new ExitSchedule(exits.size(), segments - 1, cost.maxPending(), cost.rests());
    this.done = filled(segments, first);
    this.exitDone = filled(exits.size(), first);
    this.heard = filled(exits.size(), first);
    this.read = first;
    this.ahead = first;
  }

  private static int[] filled(int count, int value) {
    int[] all = new int[count];
    Arrays.fill(all, value);
    return all;
  }

  /**
   * Seconds of one token.
   *
   * @param left depth at which it left, and right draft tokens after it will; 0 for the final layer
   * @param rows tokens that a pass which begins here reads, or 0 if the last one has read this one
   */
  double token(int position, int[] left, int rows) {
    if (rows > 0) {
      for (int[] to : List.of(done, exitDone, heard)) {
        Arrays.setAll(to, i -> Math.min(to[i], position));
      }
      ahead = position + rows;
      read = position;
    }
    double seconds = table.token();
    for (int i = 0; i < segments; i++) {
      if (done[i] <= position) {
        int layers = end(i) - (i == 0 ? 0 : end(i - 1));
        seconds += table.layers(layers, ahead - done[i], done[i]);
        done[i] = ahead;
      }
      if (i < exits.size()) {
        seconds += asked(i, position);
        if (left[0] == end(i)) {
          schedule.left(i);
          return seconds;
        }
      }
    }
    schedule.left(exits.size());
    return seconds + head(position, left);
  }

  /** Layers up to the end of segment {@code i}. */
  private int end(int i) {
    return i < exits.size() ? exits.get(i).depth() : table.layers();
  }

  private double asked(int i, int position) {
    ExitCost e = exits.get(i);
    if (schedule.asks(i)) {
      return heard[i] > position ? 0 : ask(i, e, position);
    }
    // its own layer waits too, until a batch of stable rows is full
    int waiting = position + 1 - exitDone[i];
    if (waiting < Kernels.ROW_STABLE) {
      return 0;
    }
    exitDone[i] = position + 1;
    return e.fillSeconds(waiting);
  }

  private double ask(int i, ExitCost e, int position) {
    int rows = ahead - position;
    int missed = position - exitDone[i];
    heard[i] = ahead;
    exitDone[i] = ahead;
    if (rows == 1) {
      return e.layerSeconds(missed + 1) + e.check();
    }
    double layer =
        e.layer().isEmpty()
            ? 0
            : e.layerSeconds(1) * table.layer().at(rows) / table.layer().at(1)
                + (missed == 0 ? 0 : e.fillSeconds(missed));
    return layer + e.check() * table.head().at(rows) / table.head().at(1);
  }

  /** The whole head, for all tokens ahead that are not known to leave before it. */
  private double head(int position, int[] left) {
    if (read > position) {
      return 0;
    }
    int rows = 0;
    for (int p = position; p < ahead; p++) {
      boolean leaves = p - position < left.length && left[p - position] != 0;
      rows += leaves ? 0 : 1;
    }
    read = ahead;
    return table.head().at(rows);
  }
}
