#!/bin/sh
# Builds the fuzzer: fuzz.sh OUTPUT. What changes files or starts programs goes through its wrappers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wraps=""
for name in mkdir rename renameat unlinkat mknodat fchmod openat execvp; do
    wraps="$wraps -Wl,--wrap=$name"
done
source=$here/../../main/c
flags="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
# shellcheck disable=SC2086
${CC:-gcc} $flags -Dmain=init_main -c -o "$1.main.o" "$source/glovebox-init.c"
# shellcheck disable=SC2086
${CC:-gcc} $flags $wraps -o "$1" "$here/fuzz.c" "$1.main.o" \
    "$source/wire.c" "$source/hello.c" "$source/process.c" "$source/child.c" "$source/confine.c" \
    "$source/files.c" "$source/write.c" "$source/tree.c"
rm "$1.main.o"
