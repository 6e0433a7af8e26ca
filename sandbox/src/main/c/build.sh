#!/bin/sh
# Builds glovebox-init: build.sh OUTPUT [--sanitize]. Static, so that it runs in any root file system.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
output=${1:?usage: build.sh OUTPUT [--sanitize]}
case "${2:-}" in
    "") flags="-static -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -s" ;;
    --sanitize) flags="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" ;;
    *) echo "build.sh: unknown option $2" >&2; exit 64 ;;
esac
mkdir -p "$(dirname "$output")"
# shellcheck disable=SC2086
${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror $flags -o "$output.$$" "$here"/*.c
mv "$output.$$" "$output"
