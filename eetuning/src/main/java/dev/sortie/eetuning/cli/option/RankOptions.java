package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.launch.RankEnvironment;
import dev.sortie.parallel.launch.Ranks;
import dev.sortie.parallel.mesh.Mesh;
import picocli.CommandLine.Option;

/** Options of commands that may run as one of several ranks. */
public final class RankOptions {
  /** So that their product is a number of ranks. */
  private static final int MOST = 1 << 10;

  @Option(
      names = "--dp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Ranks that share the micro-batches of a step, in a job started by launch. The result has the same bits for every number. Default: ${DEFAULT-VALUE}.")
  private int dp;

  @Option(
      names = "--tp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Ranks that share the weights of backbone and exits, in such a job: --tp times --dp times --pp ranks. Losses are those of one rank but for rounding, the same in every run. Default: ${DEFAULT-VALUE}.")
  private int tp;

  @Option(
      names = "--sequence-parallel",
      description =
          "With --tp: share out the tokens between the projections too. --seq-len must be a multiple of --tp.")
  private boolean sequenceParallel;

  @Option(
      names = "--pp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Stages among which layers and exits are shared out, in such a job. The result has the same bits for every number. Default: ${DEFAULT-VALUE}.")
  private int pp;

  @Option(
      names = "--stage-split",
      paramLabel = "WORD",
      description =
          "With --pp, which layers each stage has: measured (each part of the model is timed for some seconds when a run begins; --out keeps the times), counted (multiplications), or the layers after which a stage ends, as in 4,8 for --pp 3. The result has the same bits. --dry-run counts where a run would measure. Default: measured, with --tp counted.")
  private String stageSplit;

  /** How layers are shared out among stages. */
  public StageSplit split() {
    return StageSplit.of(stageSplit, pp, tp);
  }

  /** The ranks along each axis. */
  public Mesh mesh() {
    return mesh(tp, dp, pp);
  }

  /** As many ranks along each axis. */
  public static Mesh mesh(int tp, int dp, int pp) {
    for (int size : new int[] {tp, dp, pp}) {
      if (size < 1 || size > MOST) {
        throw new InputException(
            "--tp %d, --dp %d and --pp %d must each be from 1 to %d".formatted(tp, dp, pp, MOST));
      }
    }
    return new Mesh(tp, dp, pp);
  }

  /** Whether ranks that share weights share out tokens too. */
  public boolean isSequenceParallel() {
    return sequenceParallel;
  }

  /** Refuses tokens that ranks cannot share out. */
  public void checkSequence(int length) {
    if (sequenceParallel && (tp == 1 || length % tp != 0)) {
      throw new InputException(
          "--sequence-parallel with --tp %d and --seq-len %d: take --tp 2 or more, and a length that is a multiple of it"
              .formatted(tp, length));
    }
  }

  /** Work of one of the ranks. */
  @FunctionalInterface
  public interface Work {
    /**
     * Does it.
     *
     * @return the exit code
     */
    int run(ProcessGroups groups, Interrupt interrupt);
  }

  /** Joins the other ranks and works with them; a failure here ends all of them. */
  public int run(Work work) {
    try (Interrupt interrupt = new Interrupt();
        ProcessGroups groups = join()) {
      try {
        return work.run(groups, interrupt);
      } catch (RuntimeException e) {
        groups.abort(String.valueOf(e.getMessage()));
        throw e;
      }
    }
  }

  /**
   * Joins the other ranks of the job that the environment describes. One rank alone needs no job,
   * but must not be started several times over by a launcher: all would write the same files.
   *
   * @throws InputException if the job is not as large as the mesh
   */
  private ProcessGroups join() {
    Mesh mesh = mesh();
    if (mesh.world() == 1 && !RankEnvironment.isLaunched(System.getenv())) {
      return ProcessGroups.single();
    }
    Transport transport = Ranks.join(System.getenv());
    try {
      return ProcessGroups.of(transport, mesh);
    } catch (RuntimeException | Error e) {
      transport.close();
      throw e;
    }
  }
}
