#!/bin/sh
# No room for the mail in memory: the mail waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 3
use_broker
perl -e 'print "Subject: x\n\n"; print "y" x 70, "\n" for 1 .. 3000' > "$TMP/mail"
# In units of 512 bytes.
OUT=$(ulimit -f 64; "$MAILIN" -c "$CONF" --queue-id "$QUEUE_ID" --sender '' -- support@example.com \
	< "$TMP/mail" 2> "$TMP/errors")
STATUS=$?
is_result 75 '4.3.0 keeping the mail in memory: File too large' 'deferred'
is "$(waiting)" 0 'nothing is published'
