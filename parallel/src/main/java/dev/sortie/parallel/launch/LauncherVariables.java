package dev.sortie.parallel.launch;

import java.util.List;

/**
 * The environment variables in which a launcher or scheduler tells a process who it is. An empty
 * name: it does not say.
 *
 * @param name as errors spell it; the variables themselves where many launchers, and users, set
 *     them
 * @param launcher whether it starts single ranks. A scheduler also sets its variables around a
 *     launcher that runs inside of it, so they count only where there is no launcher
 * @param rank variable with this process's rank
 * @param world variable with the number of ranks
 * @param localWorld variable with the number of ranks on this machine
 */
record LauncherVariables(
    String name, boolean launcher, String rank, String world, String localWorld) {

  /** What is recognised; the first one that is there names the ranks. */
  static final List<LauncherVariables> ALL =
      List.of(
          new LauncherVariables(
              "RANK and WORLD_SIZE", true, "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
          new LauncherVariables(
              "Open MPI",
              true,
              "OMPI_COMM_WORLD_RANK",
              "OMPI_COMM_WORLD_SIZE",
              "OMPI_COMM_WORLD_LOCAL_SIZE"),
          new LauncherVariables("PMI", true, "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"),
          new LauncherVariables("PMIx", true, "PMIX_RANK", "", ""),
          new LauncherVariables("Slurm", false, "SLURM_PROCID", "SLURM_NTASKS", ""),
          new LauncherVariables("Kubernetes", false, "JOB_COMPLETION_INDEX", "", ""));
}
