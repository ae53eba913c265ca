#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What simulations of operators, layers and steps of large models take of the host: `./forerun bench llm`. Everything counts,
# compiling and booting too. Usage: llm.sh FOLDER_OF_PROGRAMS [WORD]; only measures whose title has the word
set -euo pipefail
programs=$1 word=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=$(mktemp)
trap 'rm -f "$output"' EXIT

measure() {  # measure TITLE BAR OPTION...: BAR is in CPU seconds, or "none"
  [[ $1 == *"$word"* ]] || return 0
  "$programs/cost" "$programs/forerun" run --data none "${@:3}" > "$output" 2> "$output.err" || {
    echo "$1: this fails: forerun run --data none ${*:3}" >&2
    cat "$output.err" >&2
    rm -f "$output.err"
    exit 1
  }
  rm -f "$output.err"
  awk -v title="$1" -v bar="$2" '
    /^  (time|prefill) +[0-9]/ { simulated = $2 " " $3 }
    /^  time per step +[0-9]/ { simulated = $4 " " $5 }
    /^  layers: / { layers = ", " $2 " of " $4 " layers simulated, " substr($0, index($0, "expected error")) }
    { cost = $0 }
    END {
      if (simulated == "") { print title ": the report has no simulated time" > "/dev/stderr"; exit 1 }
      against = bar == "none" ? "" : " (bar " bar ": " (cost + 0 <= bar + 0 ? "met" : "missed") ")"
      print title ": " cost against ", simulated time " simulated layers
    }' "$output"
}

# Bars are those of the row model (hbm.model); without it, each burst of the memory is timed.
compare() {  # compare TITLE BAR OPTION...
  measure "$1, row model" "$2" "${@:3}" --set hbm.model=row
  measure "$1" none "${@:3}"
}

layer=(--model "$here/llama-2-7b-layer.yaml" --dtype bf16 --chip four-arrays --all-layers)
compare 'GEMM 512x4096x4096 bf16 on four-arrays' 0.5 --gemm 512x4096x4096 --dtype bf16 --chip four-arrays
compare 'Llama-2-7B bf16 on four-arrays, one layer and the head, decode at 512' 2 "${layer[@]}" --phase decode --context 512
compare 'Llama-2-7B bf16 on four-arrays, one layer and the head, prefill of 512' 3 "${layer[@]}" --phase prefill --context 512
step=(--model llama-3-8b --dtype bf16 --chip reference --phase decode --context 2048)
compare 'Llama-3-8B bf16 on reference, decode at 2048, repeated layers' 2 "${step[@]}"
compare 'Llama-3-8B bf16 on reference, decode at 2048, all layers' 20 "${step[@]}" --all-layers
compare 'Llama-3.1-405B fp8 on reference-512g, decode at 8192, repeated layers' 60 \
  --model llama-3.1-405b --dtype fp8 --chip reference-512g --phase decode --context 8192
compare 'Llama-3-70B bf16 on reference-256g, decode of 16 sequences at 8192, repeated layers' 10 \
  --model llama-3-70b --dtype bf16 --chip reference-256g --phase decode --batch 16 --context 8192
