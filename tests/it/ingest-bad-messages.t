#!/bin/sh
# What is no good document goes to mail.dead with the reason, untouched; the rest of the batch is stored.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 29
use_sandbox --only broker,database
ingest_setup

# bad REASON BODY-FILE
number=0
bad() {
	number=$((number + 1))
	echo "$1" > "$TMP/reason.$number"
	cp "$2" "$TMP/body.$number"
	probe give support < "$2"
}
# lie REASON ARGUMENT-OF-inbound-document ...
lie() {
	reason=$1
	shift
	documents --attach 3:x "$@" | tr -d '\n' > "$TMP/lie"
	bad "$reason" "$TMP/lie"
}

documents --count 5 | publish
printf 'no JSON' > "$TMP/a"; bad 'no JSON at byte 1 of 7: null expected' "$TMP/a"
: > "$TMP/a"; bad 'no JSON at byte 0 of 0: unexpected end of data' "$TMP/a"
printf '{"MessageID":"\377"}' > "$TMP/a"; bad 'no UTF-8 at byte 14 of 17' "$TMP/a"
perl -e 'print "[" x 1_000_000' > "$TMP/a"
bad 'JSON of 1000000 values is more than the limits allow' "$TMP/a"
perl -e 'print "[" x 1_000, "]" x 1_000' > "$TMP/a"
bad 'no JSON at byte 16 of 2000: nesting too deep' "$TMP/a"
lie 'Mailpipe.Envelope is missing' --delete Mailpipe.Envelope
lie 'Subject is of type integer, not string' --set Subject=5
lie 'MessageStream "photos" does not belong into the queue mail.in.support' --route photos
lie 'MessageStream "nowhere" is no route' --set 'MessageStream="nowhere"'
lie 'Attachments[0].Content is no correct base64' --set 'Attachments.0.Content="?"'
lie 'Attachments[0].ContentLength is 4, but Content has 3 bytes' --set Attachments.0.ContentLength=4
lie 'Attachments[0].Sha256 is not the digest of Content' --set 'Attachments.0.Content="AAAA"'
documents --first 6 --count 5 | publish
ingest_start
stored 10
dead() { [ "$(events dead)" -eq "$number" ]; }
wait_for 30 dead
ingest_stop
is "$(rows)" 10 'the good ones are stored'
is "$(probe count mail.in.support)" 0 'all are acknowledged'
is "$(probe count mail.dead)" "$number" 'the bad ones are in mail.dead'
same='key=mail.in.support content_type=application/json message_id=an-id type=mailpipe.inbound.v1'
same="$same app_id=a-producer timestamp=1795348001 queue_id=4QUEUEID first_seen=1795348000 attempt=3"
for i in $(seq "$number"); do
	probe take mail.dead > "$TMP/dead"
	is "$(head -n 1 "$TMP/dead" | tr -d '\0')" "$same error=$(cat "$TMP/reason.$i")" \
		"properties and reason: $(cat "$TMP/reason.$i")"
	tail -n +2 "$TMP/dead" > "$TMP/dead.body"
	printf '\n' >> "$TMP/body.$i"
	ok 'the body is untouched' cmp "$TMP/dead.body" "$TMP/body.$i"
done
like "$(cat "$TMP/log")" '4QUEUEID an-id event=dead queue=mail.in.support size=7 attempt=3 status=5.6.0 reason="no JSON at byte 1 of 7: null expected"' \
	'the log has the reason'
is "$(sql 'SELECT COUNT(*) FROM attachments')" 0 'nothing of the bad ones is stored'
