#!/bin/sh
# Lint: style, types, layers. Seconds when nothing changed.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/mypy
.venv/bin/lint-imports --no-logo
