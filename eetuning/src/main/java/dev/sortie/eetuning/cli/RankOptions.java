package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.train.Team;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.launch.RankEnvironment;
import dev.sortie.parallel.launch.Ranks;
import dev.sortie.parallel.mesh.Mesh;
import picocli.CommandLine.Option;

/** Options of commands that may run as one of several ranks. */
final class RankOptions {
  @Option(
      names = "--dp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Ranks that share the micro-batches of a step, in a job started by launch. The result has the same bits for every number. Default: ${DEFAULT-VALUE}.")
  private int dp;

  @Option(
      names = "--pp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Stages among which layers and exits are shared out, in such a job: --dp times --pp ranks. The result has the same bits for every number. Default: ${DEFAULT-VALUE}.")
  private int pp;

  /** The ranks along each axis. */
  Mesh mesh() {
    if (dp < 1 || pp < 1 || (long) dp * pp > Integer.MAX_VALUE) {
      throw new InputException("--dp %d and --pp %d must be at least 1".formatted(dp, pp));
    }
    return new Mesh(1, 1, dp, pp);
  }

  /**
   * Joins the other ranks of the job that the environment describes. One rank alone needs no job,
   * but must not be started several times over by a launcher: all would write the same files.
   *
   * @throws InputException if the job is not as large as the mesh
   */
  Team join() {
    Mesh mesh = mesh();
    if (mesh.world() == 1 && !RankEnvironment.isLaunched(System.getenv())) {
      return Team.alone();
    }
    RankEnvironment me = RankEnvironment.read(System.getenv());
    Team.checkSize(mesh, me.world());
    return Team.of(Ranks.join(me), mesh);
  }
}
