#!/bin/sh
# Standard descriptors that are closed: no library gets into their places, and the mail's fate is right.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 6
use_broker
printf 'Subject: x\n\nx\n' > "$TMP/mail"
run() { "$MAILIN" -c "$CONF" --queue-id "$QUEUE_ID" --sender '' -- "$1"; }
run support@example.com < "$TMP/mail" >&-
is "$?" 0 'standard output closed: published'
run nobody@example.com < "$TMP/mail" >&-
is "$?" 69 'standard output closed: refused'
run support@example.com < "$TMP/mail" >&- 2>&-
is "$?" 0 'standard output and error closed: published'
OUT=$(run support@example.com <&-)
is "$?: $OUT" '75: 4.3.0 standard input is closed' 'standard input closed: deferred'
run support@example.com < "$TMP/mail" > /dev/full
is "$?" 0 'nowhere to write to: published'
is "$(waiting)" 3 'three are published'
