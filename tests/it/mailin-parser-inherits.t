#!/bin/sh
# The parser gets nothing but its four descriptors and an environment of two variables.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 2
own_parser
echo 'descriptors' > "$TMP/mail"
exec 7< /etc/passwd
OUT=$(SECRET=x "$MAILIN" --dry-run < "$TMP/mail")
is "$?" 0 'a dry run'
is "$OUT" '{"Open":"0 1 2 3 ","Variables":2}' 'descriptors and environment'
