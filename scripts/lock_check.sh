#!/bin/sh
# Resolve the constraints for every supported Python, without installing: pip finds a wheel of each pinned version.
# What runs here is the Python at hand alone; for the others this says that the set exists and fits, not that it works.
set -eu
cd "$(dirname "$0")/.."
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
# The few packages without wheels are pure Python: built once, they fit every version.
for name in ${SOURCES:-antlr4-python3-runtime}; do
    .venv/bin/pip wheel --quiet --no-deps --wheel-dir "$wheels" "$(grep "^$name==" constraints.txt)"
done
.venv/bin/pip wheel --quiet --no-deps --wheel-dir "$wheels" .
for version in 3.11 3.12 3.13; do
    .venv/bin/pip install --quiet --dry-run --ignore-installed --only-binary=:all: --python-version "$version" \
        --target "$wheels/none" --find-links "$wheels" --constraint constraints.txt "tunegate[example,dev]"
    echo "Python $version: the constraints resolve"
done
