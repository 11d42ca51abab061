#!/bin/sh
# mail.events tells what became of messages, to those who listen.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 10
use_sandbox --only broker,database
ingest_setup
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
waiting() { [ "$(probe count "$1")" = "$2" ]; }

probe listen front.failed 'inbound.failed.#'
probe listen front.support inbound.stored.support
documents --count 5 --subject 'Grüße' | publish
printf 'no JSON' | probe give support "$(id 6)"
ingest_start
stored 5
wait_for 30 waiting front.support 5
wait_for 30 waiting front.failed 1
is "$(probe count front.support)" 5 'an event for each message that was stored'
probe take front.support 5 > "$TMP/events"
sed -n 'n;p' "$TMP/events" > "$TMP/bodies"
is "$(jq -r .MessageID "$TMP/bodies" | sort)" "$(for n in 1 2 3 4 5; do id $n; echo; done)" 'of its id'
is "$(head -n 1 "$TMP/bodies" | jq -cS 'del(.StoredAt, .Mailpipe.EventID, .Mailpipe.FirstSeen)')" \
	"{\"Details\":\"\",\"From\":\"ann@example.net\",\"Mailpipe\":{\"Attempt\":1,\"QueueID\":\"Q1\",\"Version\":1},\"MessageID\":\"$(id 1)\",\"MessageStream\":\"support\",\"OriginalRecipient\":\"support@example.com\",\"RecordType\":\"Inbound\",\"Subject\":\"Grüße\"}" \
	'with what it is about'
like "$(head -n 1 "$TMP/bodies" | jq -r .StoredAt)" '^20[0-9-]+T[0-9:]+\.[0-9]{3}Z$' 'and when'
event=$(head -n 1 "$TMP/bodies" | jq -r .Mailpipe.EventID)
like "$(head -n 1 "$TMP/events")" \
	"^key=inbound.stored.support content_type=application/json message_id=$event type=mailpipe.event.v1 app_id=mailpipe/" \
	'its properties'
probe take front.failed > "$TMP/events"
like "$(head -n 1 "$TMP/events")" '^key=inbound.failed.support ' 'one that was given up'
is "$(sed -n 2p "$TMP/events" | jq -cS 'del(.FailedAt, .Mailpipe.EventID)')" \
	"{\"Details\":\"no JSON at byte 1 of 7: null expected\",\"From\":\"\",\"Mailpipe\":{\"Attempt\":3,\"FirstSeen\":\"2026-11-22T11:46:40.000Z\",\"QueueID\":\"4QUEUEID\",\"Version\":1},\"MessageID\":\"$(id 6)\",\"MessageStream\":\"support\",\"OriginalRecipient\":\"\",\"RecordType\":\"InboundFailure\",\"Subject\":\"\"}" \
	'with the reason'
ingest_stop

# Nobody listens: nothing is published; once a queue is bound, that is noticed.
sed -i 's/^\[route support\]/[route quiet]\nrecipients = quiet@example.com\n\n[route support]/' "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > /dev/null 2>&1
documents --first 10 --route quiet | probe publish quiet
ingest_start
stored 6
probe listen front.quiet inbound.stored.quiet
number=11
told() {
	documents --first "$number" --route quiet | probe publish quiet
	number=$((number + 1))
	! waiting front.quiet 0
}
wait_for 60 told
pass 'who listens later is heard of'
first=$(probe take front.quiet 1 | sed -n 2p | jq -r .MessageID)
ok 'from some message on' test "$first" '>' "$(id 10)"
ingest_stop
is "$ingest_status" 0 'a clean end'
