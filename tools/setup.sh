#!/bin/sh
# Set-up from nothing but Python 3.11 or newer: a virtual environment with the locked
# packages, Node from a wheel, and the CDK CLI from its lock. Safe to run again.
set -eu
cd "$(dirname -- "$0")/.."

python=
for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "setup: no Python 3.11 to 3.13 found. Install one, or name it: make setup PYTHON=/path/to/python3.13" >&2
    exit 1
fi

if [ ! -x .venv/bin/python ]; then
    echo "setup: virtual environment with $("$python" --version)"
    "$python" -m venv .venv
fi
uv=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements-dev.txt)
echo "setup: Python packages (requirements-dev.txt, checked by hash)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv"
.venv/bin/uv pip sync --quiet --require-hashes --python .venv/bin/python requirements-dev.txt

echo "setup: CDK CLI (package-lock.json)"
PATH="$PWD/.venv/bin:$PATH" .venv/bin/npm ci --silent --no-progress

# Compiled once here, so that the first command is as fast as the others.
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true
touch .venv/ready
echo "setup: ready"
