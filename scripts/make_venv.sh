#!/usr/bin/env bash
# Create the virtual environment (first argument) and install the requirements file (second) into it.
# Names what is missing on the machine, with the command that mends it.
set -euo pipefail
venv=$1
requirements=$2

usable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
  local name
  for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null 2>&1 && usable "$name"; then
      command -v "$name"
      return
    fi
  done
  echo "CausalMix needs Python 3.11, 3.12 or 3.13; here is $(python3 --version 2>/dev/null || echo 'no python3')." >&2
  echo "On Debian or Ubuntu:  sudo apt-get install python3.13 python3.13-venv   (or 3.12, 3.11: whichever is offered)" >&2
  echo "Then run this again, or name the Python yourself:  PYTHON=/path/to/python3.13 make run" >&2
  exit 1
}

if [ -x "$venv/bin/python" ] && ! usable "$venv/bin/python"; then
  echo "The virtual environment in $venv holds a Python that is not 3.11-3.13. Remove it with:  make clean" >&2
  exit 1
fi

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  python=$(find_python)
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "Python $version is here, but not the part that makes virtual environments." >&2
    echo "On Debian or Ubuntu:  sudo apt-get install python$version-venv" >&2
    exit 1
  fi
  echo "Creating the virtual environment in $venv (Python $version)"
  "$python" -m venv "$venv"
fi

echo "Installing $requirements (the first time this takes a few minutes)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
