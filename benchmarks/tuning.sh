#!/usr/bin/env bash
# Compares ways to tune exits with one token budget: objectives, architectures, heads, initialisation.
#
#   benchmarks/tuning.sh MODEL WORK TEXT [STEPS]
#
#   MODEL  a GGUF file or a Hugging Face folder
#   WORK   folder for exits, runs and the cache of hidden states
#   TEXT   a text file on which the exits are scored
#   STEPS  of 4 windows of 256 tokens each; default 200
#
# DEPTH in the environment is where exits stand; 24 if it is not set. The data, the same for all, are
# text that the model samples of itself, or the files that DATA in the environment names. The backbone
# runs over them once. Losses of different objectives or heads cannot be compared; the agreement with
# full depth on TEXT can. Prints a line for each run, also into WORK/table.md. A run that is done is
# not run again.
set -euo pipefail

[ $# -ge 3 ] || {
  sed -n '2,17s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
MODEL=$1
WORK=$2
TEXT=$3
STEPS=${4:-200}
SORTIE=$(cd -P -- "$(dirname -- "$0")/.." && pwd)/sortie
DEPTH=${DEPTH:-24}
read -ra DATA <<<"${DATA:-self}"
mkdir -p "$WORK"

# name, then the options of add-exits, a bar, and those of tune
RUNS=$(
  cat <<END
layer-kl-tied-copy      --arch layer --head backbone --draft-head 8192 | --objective kl
layer-ce-tied-copy      --arch layer --head backbone --draft-head 8192 | --objective ce
layer-kl-confidence     --arch layer --head backbone --draft-head 8192 | --objective kl --token-weights confidence
layer-kl-tied-random    --arch layer --head backbone --draft-head 8192 --init random | --objective kl
layer-kl-untied-copy    --arch layer --head own --draft-head 8192 | --objective kl
layer-kl-whole-head     --arch layer --head backbone | --objective kl
mlp-kl-tied-copy        --arch mlp --head backbone --draft-head 8192 | --objective kl
norm-kl-untied-copy     --arch norm --head own --draft-head 8192 | --objective kl
END
)

printf '| run | held-out loss, nats | agreement on the text |\n|---|---|---|\n' | tee "$WORK/table.md"
while read -r name rest; do
  add=${rest%%|*}
  tune=${rest#*|}
  out=$WORK/$name
  if [ ! -f "$out/result.json" ]; then
    # shellcheck disable=SC2086
    [ -f "$WORK/start-$name/exits.json" ] || "$SORTIE" add-exits --model "$MODEL" --at "$DEPTH" $add --out "$WORK/start-$name" >&2
    # shellcheck disable=SC2086
    "$SORTIE" tune --model "$MODEL" --exits "$WORK/start-$name" --data "${DATA[@]}" --feature-cache "$WORK/features" --out "$out" --steps "$STEPS" --micro-batch 4 --seq-len 256 \
      --held-out 0.05 --validate-every "$STEPS" --json $tune >"$out.json"
    mv "$out.json" "$out/result.json"
  fi
  [ -f "$out/score.json" ] || "$SORTIE" score --model "$MODEL" --exits "$out" --file "$TEXT" --json >"$out/score.json"
  loss=$(sed -n 's/.*"validation":{"[0-9]*":\([0-9.]*\).*/\1/p' "$out/result.json")
  agreement=$(sed -n "s/.*{\"exit\":$DEPTH,[^}]*\"agreement\":\([0-9.]*\).*/\1/p" "$out/score.json")
  printf '| %s | %s | %s |\n' "$name" "$loss" "$agreement" | tee -a "$WORK/table.md"
done <<<"$RUNS"
