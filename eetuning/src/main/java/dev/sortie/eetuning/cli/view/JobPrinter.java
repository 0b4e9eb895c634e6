package dev.sortie.eetuning.cli.view;

import dev.sortie.parallel.launch.LinePiece;
import java.io.PrintWriter;
import java.util.function.Consumer;

/**
 * Prints what a job says, each line with its rank in front. A line that comes in pieces stays one,
 * unless other output comes between them: nobody waits for the end of a line that may have none.
 * Thread-safe.
 */
public final class JobPrinter implements Consumer<LinePiece> {
  private final PrintWriter to;
  private LinePiece last;

  /** Nothing is printed yet. */
  public JobPrinter(PrintWriter to) {
    this.to = to;
  }

  @Override
  public synchronized void accept(LinePiece piece) {
    boolean continues = last != null && piece.continues(last);
    if (last != null && !last.ends() && !continues) {
      to.println();
    }
    to.print(continues ? piece.text() : piece.toString());
    if (piece.ends()) {
      to.println();
    }
    to.flush();
    last = piece;
  }
}
