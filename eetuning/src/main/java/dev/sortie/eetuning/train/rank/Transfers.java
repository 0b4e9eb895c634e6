package dev.sortie.eetuning.train.rank;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.Handle;
import java.util.Collection;

/** Messages that are under way when work ends, well or badly. */
public final class Transfers {
  private Transfers() {}

  /** Ends when nothing is sent from or received into their memory any more. */
  public static void settle(Collection<Handle> handles) {
    for (Handle handle : handles) {
      try {
        handle.await();
      } catch (CommException e) {
        // the job has failed and ends: whoever met the failure first reports it
        System.getLogger(Transfers.class.getName())
            .log(System.Logger.Level.DEBUG, "a transfer was cut short", e);
      }
    }
  }
}
