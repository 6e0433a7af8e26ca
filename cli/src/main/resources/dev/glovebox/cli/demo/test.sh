#!/bin/sh
# expects: YEAR KIND pairs
gcc -Wall -Werror -o leap leap.c || exit 2
failed=0
for pair in 2024:leap 2023:common 2000:leap 1900:common; do
    year=${pair%%:*}
    expected=${pair##*:}
    actual=$(./leap "$year")
    if [ "$actual" = "$expected" ]; then
        echo "ok   $year is $expected"
    else
        echo "FAIL $year: expected $expected, was $actual"
        failed=1
    fi
done
exit $failed
