#!/bin/sh
# Chromium for the tests of the review page: installed by apt where that is allowed. Without it those tests skip, and say so.
set -eu
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium by apt, for the tests of the review page."
    export DEBIAN_FRONTEND=noninteractive
    for again in 1 2; do
        if timeout 300 apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; then
            exit 0
        fi
        [ "$again" = 2 ] || timeout 120 apt-get update -qq >/dev/null 2>&1 || break
    done
fi
echo "There is no Chromium here: the tests that look at the review page in a browser are skipped." >&2
echo "Install it (Debian and Ubuntu: apt install chromium) to run them." >&2
