#!/bin/sh
# The tests of one tier (`fast` or `all`), two at a time, the slowest named at the end.
set -eu
cd "$(dirname "$0")/.."
export OMP_WAIT_POLICY=PASSIVE DO_NOT_TRACK=1 HF_HUB_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 OMP_NUM_THREADS=1
case $1 in
    fast) marker="not slow" ;;
    all) marker="" ;;
esac
start=$(date +%s)
# One file stays in one process, so that what its tests share is made once.
.venv/bin/pytest -n 2 --dist loadfile -m "$marker"
echo "The tier '$1' took $(($(date +%s) - start)) seconds."
