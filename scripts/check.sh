#!/usr/bin/env bash
# Lint, types, layers and tests; the first argument is the virtual environment's bin folder.
# With --quick the tests are left out; further arguments go to pytest.
set -euo pipefail
bin=$1
shift
export PYTHONWARNINGS="${PYTHONWARNINGS:-}"
# One computing thread per process: two test processes with a pool each would slow one another down.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

echo "ruff check";   "$bin/ruff" check .
echo "ruff format";  "$bin/ruff" format --check .
echo "mypy";         "$bin/mypy"
echo "import-linter"; "$bin/lint-imports" --no-cache 2>&1 | tail -n 4
if [ "${1:-}" = "--quick" ]; then exit 0; fi

"$bin/python" -m pytest -n 2 --dist loadgroup -q "$@"
