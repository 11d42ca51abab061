#!/bin/sh
# RabbitMQ itself puts aside what was delivered 20 times and never settled: the letter tells origin and reason, its
# life can be traced, and requeued it is stored with the id it had.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/trace.sh"
use_sandbox --only broker,database
ingest_setup
trace_config=$TMP/conf
trace_no_postfix
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ID=00000000-0000-8000-8000-000000000007
documents --first 7 | tr -d '\n' > "$TMP/body"
probe give support "$ID" < "$TMP/body"
# It gets and gives back the message that is in nobody's hands, as a lost connection would.
is "$(probe return mail.in.support)" 21 'delivered once, and 20 times again'
is_dead() { [ "$(probe count mail.dead)" = 1 ]; }
wait_for 30 is_dead
is "$(probe count mail.in.support) $(probe count mail.dead)" '0 1' 'then RabbitMQ moves it to mail.dead'

why='delivered too often from mail.in.support without an answer (RabbitMQ: delivery_limit): it may have killed its worker'
is "$(ctl dead list --json | jq -r '.Messages[0] | [.MessageID, .Origin, .Route, .Reason, .LastError, .Attempts] | join("|")')" \
	"$ID|mail.in.support|support|$why|an older one|3" 'mailctl dead list: origin and reason'
is "$(ctl dead list --reason=delivery_limit --json | jq .Matched)" 1 'the reason finds it'
like "$(ctl dead list)" "^$ID +mail\.in\.support +.*delivered too often" 'the table, too'
ctl dead show "$ID" > "$TMP/shown"
is "$? $(grep -cF "$why" "$TMP/shown")" '0 1' 'mailctl dead show: the reason'
is "$(ctl dead show "$ID" --body | cmp - "$TMP/body" && echo same)" same 'and the body, untouched'
trace "$ID"
is "$? $(said '.Messages[0] | [.State, .Queue, .ReturnsTo] | join(" ")')" '0 dead mail.dead mail.in.support' 'mailctl trace: where it is'
like "$(said '.Messages[0].Conclusion')" 'delivery_limit' 'and why'

is "$(ctl dead requeue --reason=delivery_limit)" '1 of 1 dead letters requeued' 'it is requeued'
ingest_start
stored 1
ingest_stop
is "$(sql 'SELECT HEX(id) FROM messages')" "$(echo "$ID" | tr -d -)" 'and stored with its id'
is "$(probe count mail.dead) $(probe count mail.in.support)" '0 0' 'nothing is left'
# Deliveries are counted anew for what was requeued.
probe give support "$ID" < "$TMP/body"
is "$(probe return mail.in.support)" 21 'the count begins anew'
wait_for 30 is_dead
ctl dead requeue --all > /dev/null
ingest_start
await_log 'event=duplicate '
ingest_stop
is "$(rows) $(probe count mail.dead)" '1 0' 'and what is stored already is not stored again'
done_testing
