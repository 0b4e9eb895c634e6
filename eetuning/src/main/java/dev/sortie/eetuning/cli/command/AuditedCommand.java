package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.train.audit.StepWitness;

/** A command that trains, and whose recorded runs {@code audit} can replay. */
interface AuditedCommand {

  /**
   * Makes the job of this command line, with files of its own in a new folder below {@code --out},
   * which is deleted in the end.
   *
   * @return the exit code
   */
  int replay(Replay replay);

  /** What is done with the job. */
  @FunctionalInterface
  interface Replay {
    /**
     * Does it, on each rank.
     *
     * @return the exit code
     */
    int run(StepWitness witness, Interrupt interrupt);
  }
}
