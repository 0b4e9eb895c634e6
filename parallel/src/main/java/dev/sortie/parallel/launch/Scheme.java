package dev.sortie.parallel.launch;

import java.util.List;

/**
 * The environment variables in which a launcher or scheduler tells a process who it is. An empty
 * name: it does not say.
 *
 * @param name as errors spell it
 * @param launcher whether it starts single ranks. A scheduler also sets its variables around a
 *     launcher that runs inside of it, so they count only where there is no launcher
 * @param rank variable with this process's rank
 * @param world variable with the number of ranks
 * @param localRank variable with the rank among those of this machine
 * @param localWorld variable with the number of ranks on this machine
 */
record Scheme(
    String name, boolean launcher, String rank, String world, String localRank, String localWorld) {

  /** What is recognised; the first one that is there names the ranks. */
  static final List<Scheme> ALL =
      List.of(
          new Scheme("torchrun", true, "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
          new Scheme(
              "Open MPI",
              true,
              "OMPI_COMM_WORLD_RANK",
              "OMPI_COMM_WORLD_SIZE",
              "OMPI_COMM_WORLD_LOCAL_RANK",
              "OMPI_COMM_WORLD_LOCAL_SIZE"),
          new Scheme("PMI", true, "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
          new Scheme("PMIx", true, "PMIX_RANK", "", "", ""),
          new Scheme("Slurm", false, "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", ""),
          new Scheme("Kubernetes", false, "JOB_COMPLETION_INDEX", "", "", ""));
}
