#!/bin/sh
# Set-up from nothing but Python 3.11 or newer: a virtual environment with the locked
# packages, Node from a wheel, and the CDK CLI from its lock. Safe to run again.
set -eu
cd "$(dirname -- "$0")/.."

failed() {
    cat >&2 <<EOF
setup: $1 could not be installed; why is said above.
  Behind a proxy:                      HTTPS_PROXY=http://proxy.example.com:3128 make setup
  Whose certificates are a company's:  SSL_CERT_FILE=/path/to/authorities.pem make setup
  From a company's own registries:     PIP_INDEX_URL=https://… npm_config_registry=https://… make setup
EOF
    exit 1
}

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
. tools/certificates.sh
uv=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements-dev.txt)
echo "setup: Python packages (requirements-dev.txt, checked by hash)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv" || failed uv
.venv/bin/uv pip sync --quiet --require-hashes --python .venv/bin/python requirements-dev.txt ||
    failed "Python packages"

echo "setup: CDK CLI (package-lock.json)"
PATH="$PWD/.venv/bin:$PATH" .venv/bin/npm ci --loglevel=error --no-progress >/dev/null ||
    failed "the CDK CLI"

# Compiled once here, so that the first command is as fast as the others.
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true
touch .venv/ready
echo "setup: ready"
