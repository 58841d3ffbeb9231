#!/bin/sh
# Make .venv with the given extras (`example` or `example,dev`), or find that it is there. Plain pip, pinned versions.
set -eu
cd "$(dirname "$0")/.."
extras=$1

stop() {
    printf '%s\n%s\n' "$1" "$2" >&2
    exit 2
}

suitable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if suitable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    stop "No Python 3.11, 3.12 or 3.13 with its venv module was found." \
        "Install one (Debian and Ubuntu: apt install python3 python3-venv), or name it: make run PYTHON=/path/to/python3.12"
}

check_git() {
    command -v git >/dev/null || stop "git was not found." "Install it (Debian and Ubuntu: apt install git)."
    [ -e .git ] || stop "This folder is not a git repository, and DVC keeps its versions beside git's." \
        "Get the project with git clone (not as a zip), or run git init here once."
}

check_disk() {
    needed=$1
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "$free" -ge "$needed" ] || stop "The environment needs about $needed GB, and $free GB are free here." \
        "Free some space, or clone the project to a larger disk."
}

# What decides the environment: the two files, and the Python that .venv was made with.
fingerprint() {
    cat pyproject.toml constraints.txt | cksum | tr -d ' '
}

is_made() {
    [ -x .venv/bin/python ] && [ -f ".venv/made-for-$extras" ] &&
        [ "$(cat ".venv/made-for-$extras")" = "$(fingerprint)" ]
}

make_it() {
    python=$(find_python) || exit 2
    # torch's build for CUDA brings NVIDIA's libraries along; which build pip finds depends on the package index.
    check_disk 6
    count=$(grep -c '==' constraints.txt)
    echo "Making .venv with $("$python" -V): up to $count packages, about 2.5 GB on disk" \
        "(8 GB where pip finds torch's CUDA build)."
    suitable .venv/bin/python || "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off --quiet --quiet \
        --constraint constraints.txt --editable ".[$extras]" ||
        stop "pip could not install the environment." "Its message stands above; make run goes on from here."
    # Every process starts 2 to 3 times faster with compiled bytecode, and ours starts many.
    .venv/bin/python -m compileall -q -j 0 .venv/lib src flows >/dev/null || true
    rm -f .venv/made-for-*
    fingerprint >".venv/made-for-$extras"
    [ "$extras" = example ] || fingerprint >.venv/made-for-example
    echo "The environment is there."
}

check_git
is_made || make_it
