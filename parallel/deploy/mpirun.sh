#!/usr/bin/env bash
# Starts a command as ranks under mpirun (Open MPI or MPICH), which says to each who it is.
#
#   parallel/deploy/mpirun.sh mpi 4 ./sortie doctor --comm       ranks talk through MPI
#   parallel/deploy/mpirun.sh tcp 4 ./sortie doctor --comm       ranks talk over TCP; mpirun only starts them
#   MPIRUN_FLAGS="--hostfile hosts" parallel/deploy/mpirun.sh …  on several machines
#
# SORTIE_MPI_LIBRARY names the library where the one next to mpirun is not the one to use.
set -euo pipefail

if [ $# -lt 3 ] || { [ "$1" != mpi ] && [ "$1" != tcp ]; }; then
  printf 'usage: %s mpi|tcp RANKS COMMAND…\n' "$0" >&2
  exit 2
fi
export SORTIE_TRANSPORT=$1
ranks=$2
shift 2

names=(SORTIE_TRANSPORT)
[ -n "${SORTIE_MPI_LIBRARY:-}" ] && names+=(SORTIE_MPI_LIBRARY)
if [ "$SORTIE_TRANSPORT" = tcp ]; then
  export MASTER_ADDR=${MASTER_ADDR:-$(hostname)} # where mpirun puts rank 0
  export MASTER_PORT=${MASTER_PORT:-29400}
  export SORTIE_JOB_TOKEN=${SORTIE_JOB_TOKEN:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}
  names+=(MASTER_ADDR MASTER_PORT SORTIE_JOB_TOKEN)
  [ -n "${SORTIE_TLS_KEY_STORE:-}" ] && names+=(SORTIE_TLS_KEY_STORE SORTIE_TLS_PASSWORD)
fi

# The two hand variables to other machines by different flags.
flags=()
if mpirun --version 2>&1 | grep -q 'Open MPI\|Open RTE\|OpenRTE'; then
  for name in "${names[@]}"; do
    flags+=(-x "$name")
  done
else
  list=$(printf ',%s' "${names[@]}")
  flags+=(-genvlist "${list#,}")
fi
# MPIRUN_FLAGS are words.
# shellcheck disable=SC2086
exec mpirun -n "$ranks" "${flags[@]}" ${MPIRUN_FLAGS:-} "$@"
