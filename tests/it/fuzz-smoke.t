#!/bin/sh
# Ten seconds of randomly changed mails: no crash, no hang, no false document.
. "$(dirname "$0")/../lib/tap.sh"
plan 1

BUILD=$BUILD "$TREE/tests/fuzz/fuzz" -t 10 -o "$TMP/kept" "$TREE/tests/corpus" > "$TMP/log" 2>&1
status=$?
[ "$status" -eq 0 ] || cat "$TMP/log" "$TMP"/kept/* >&2
is "$status" 0 "$(tail -1 "$TMP/log")"
