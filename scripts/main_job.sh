#!/usr/bin/env bash
# The whole job on the command line: from a table to predictions.
#   scripts/main_job.sh TABLE TARGET OUT [LABELLED_ROWS]
# Leaves in OUT: the split, the graph, synthetic rows, the comparison, the runs and predictions.
set -euo pipefail
table=$1
target=$2
out=$3
labelled=${4:-200}
python=${PYTHON:-.venv/bin/python}
run() { "$python" -m causalmix_core "$@" --quiet; }

mkdir -p "$out"
run inspect "$table" --target "$target"
run split "$table" --target "$target" --train-rows "$labelled" --out "$out/rows"
run discover "$out/rows/train.csv" --target "$target" --bootstraps 10 --out "$out/graph.json"
run synthesize "$out/rows/train.csv" --target "$target" --method causal \
  --graph "$out/graph.json" --rows 500 --out "$out/causal.csv"
for method in mixup smote; do
  run synthesize "$out/rows/train.csv" --target "$target" --method "$method" --rows 500 \
    --out "$out/$method.csv"
done
run compare "$out/rows/train.csv" --target "$target" --holdout "$out/rows/test.csv" \
  --rows "causal=$out/causal.csv" "mixup=$out/mixup.csv" "smote=$out/smote.csv" \
  --graph "$out/graph.json" --out "$out/report.json" --html "$out/report.html"
run finetune "$table" --target "$target" --methods none,default,causalmix,mixup,smote --seeds 0 \
  --train-rows "$labelled" --graph "$out/graph.json" --max-steps 10 --out "$out/runs"
run predict "$out/runs/models/causalmix-0.safetensors" "$out/rows/test.csv" \
  --out "$out/predictions.csv"
