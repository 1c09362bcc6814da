#!/bin/sh
# One resolution for everything; the smaller locks are cut from it, so versions never differ.
set -eu
cd "$(dirname -- "$0")/.."
uv=$(command -v .venv/bin/uv || command -v uv)
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@"
}
compile requirements-dev.in -o requirements-dev.txt
compile requirements.in -c requirements-dev.txt -o requirements.txt
compile container/requirements.in -c requirements-dev.txt -o container/requirements.txt
# What the benchmarks compare with is installed apart.
compile benchmarks/requirements.in -o benchmarks/requirements.txt
