#!/bin/sh
# Some thousand randomly changed mails: no crash, no hang, no false document.  They are the same ones
# in each run and on each machine; to look for new ones is what tests/fuzz/fuzz is for.
. "$(dirname "$0")/../lib/tap.sh"
plan 1

BUILD=$BUILD "$TREE/tests/fuzz/fuzz" -t 300 -n 1000 -j 2 -r 1 -o "$TMP/kept" "$TREE/tests/corpus" > "$TMP/log" 2>&1
status=$?
[ "$status" -eq 0 ] || cat "$TMP/log" "$TMP"/kept/* >&2
is "$status" 0 "$(tail -1 "$TMP/log")"
