#!/usr/bin/env bash
#SBATCH --job-name=sortie
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=01:00:00
# A job of one rank a node that talk over TCP. Slurm says to each rank who it is, and names the first node, where rank 0 listens.
#
#   sbatch parallel/deploy/sbatch.sh ./sortie doctor --comm
#
# Where Slurm starts MPI jobs (srun --mpi=pmix), ranks can talk through MPI instead:
#
#   SORTIE_TRANSPORT=mpi sbatch parallel/deploy/sbatch.sh ./sortie doctor --comm
set -euo pipefail

if [ $# -eq 0 ]; then
  printf 'usage: sbatch %s COMMAND…\n' "$0" >&2
  exit 2
fi
export MASTER_PORT=${MASTER_PORT:-$((20000 + SLURM_JOB_ID % 20000))} # two jobs on one node do not meet
export SORTIE_JOB_TOKEN=${SORTIE_JOB_TOKEN:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}
if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
  export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK # since 22.05 srun does not take it from sbatch, and a rank would get one CPU
fi
if [ "${SORTIE_TRANSPORT:-}" = mpi ]; then
  exec srun --mpi=pmix "$@"
fi
exec srun "$@"
