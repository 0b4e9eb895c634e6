package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.launch.RankEnvironment;
import dev.sortie.parallel.launch.Ranks;
import dev.sortie.parallel.mesh.Mesh;
import picocli.CommandLine.Option;

/** Options of commands that may run as one of several ranks. */
public final class RankMixin {
  /** So that their product is a number of ranks. */
  private static final int MOST = 1 << 10;

  @Option(
      names = "--dp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Data-parallel replicas, in a job started by launch. The result is "
              + "bit-identical for every number. Default: ${DEFAULT-VALUE}.")
  private int dp;

  @Option(
      names = "--tp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Tensor-parallel ranks. The job has --tp times --dp times --pp ranks. "
              + "Losses equal those of one rank up to rounding and are the same in every "
              + "run. Default: ${DEFAULT-VALUE}.")
  private int tp;

  @Option(
      names = "--sequence-parallel",
      description =
          "With --tp: also split the tokens between the ranks outside of the "
              + "projections. --seq-len must be a multiple of --tp.")
  private boolean sequenceParallel;

  @Option(
      names = "--pp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Pipeline stages. The result is bit-identical for every number. Default: "
              + "${DEFAULT-VALUE}.")
  private int pp;

  @Option(
      names = "--stage-split",
      paramLabel = "WORD",
      description =
          "With --pp: how layers are assigned to stages. measured: each part of "
              + "the model is timed for a few seconds when the run starts; the times are "
              + "kept in --out. counted: by number of multiplications. Or the layers "
              + "after which stages end, such as 4,8 for --pp 3. The result is "
              + "bit-identical. --dry-run never measures, it counts. Default: measured; "
              + "with --tp, counted.")
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
        throw new UsageException(
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
      throw new UsageException(
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
