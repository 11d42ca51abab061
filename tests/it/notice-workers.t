#!/bin/sh
# With real workers: who posts hears once that the mail is late, although the database is away, and once when it
# cannot be stored; nobody else hears anything.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
. "$(dirname "$0")/../lib/trace.sh"
own_sandbox --only broker,database
mailout_setup
notice_setup
notice_set delay_after 3s
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/ingest.log --log=$TMP/log"
# What trace tells of notices of a mail, by the log.
told() { said '.Messages[0].Events[] | select(.Source == "log" and (.Event | test("notice"))) | .Event + " " + .Text' | sed 's/ id=.*//'; }
documents() { "$BUILD/tests/it/ingest_probe" publish support < "$1" || die 'publish'; }
ingest_start() {
	"$BUILD/sbin/mailin-ingest" --config "$TMP/conf" --foreground 2>> "$TMP/ingest.log" 4>&- &
	ingest_pid=$!
}
ingest_kill() { [ -z "$ingest_pid" ] || kill -KILL "$ingest_pid" 2> /dev/null; }
at_exit ingest_kill
ingest_logged() { grep -Eq -- "$1" "$TMP/ingest.log"; }
await_ingest() { wait_for 60 ingest_logged "$1" || diag "not in the log: $1; its end: $(tail -n 5 "$TMP/ingest.log")"; }
rows_are() { [ "$(sql 'SELECT COUNT(*) FROM messages')" = "$1" ]; }

ingest_pid=
ingest_start
mailout_start
mail "$verified" | post ann@x.example | jq -c '.Attachments = [{Name: 1}]' > "$TMP/broken"
mail | post bob@y.example | jq -c '.Attachments = [{Name: 1}]' >> "$TMP/broken"
# (With the properties that mailin gives them, by which the log names what cannot be read.)
while read -r document; do
	printf '%s' "$document" | "$BUILD/tests/it/ingest_probe" give support "$(printf '%s' "$document" | jq -r .MessageID)"
done < "$TMP/broken"
delivered 1 60
await_ingest ' event=no-notice kind=failed why=unverified$'
is "$(waiting mail.dead)" 2 'what cannot be stored is a dead letter'
is "$(cut -f3,5 "$SINK/mails")" "ann@x.example	Your mail was not delivered: The invoice" 'its poster hears of it, not the forged one'
trace "$(tail -n 1 "$TMP/broken" | jq -r .MessageID)"
is "$(said '.Messages[0].State'): $(told)" 'dead: no-notice kind=failed why=unverified' 'trace tells why'
await_log ' event=sent '
trace "$(head -n 1 "$TMP/broken" | jq -r .MessageID)"
like "$(said '.Messages[0].State'): $(told | paste -sd ' ')" '^dead: notice kind=failed notice event=sent ' 'and what was sent'

"$SANDBOX" kill "$SANDBOX_DIR" database
for number in 2 3; do mail "$verified" | post ann@x.example; done > "$TMP/late"
number=4
mail "$verified" | post '' >> "$TMP/late"
mail "$verified" 'List-Id: <a.x.example>' | post ann@x.example >> "$TMP/late"
documents "$TMP/late"
delivered 3 60
await_ingest ' event=no-notice kind=delayed why=null-sender$'
await_ingest ' event=no-notice kind=delayed why=automatic$'
is "$(tail -n +2 "$SINK/mails" | cut -f2,3,5 | uniq -c | sed 's/^ *//')" \
	"2 	ann@x.example	Your mail is delayed: The invoice" 'the database is away: two notices, from nobody'
is "$(tr -d '\r' < "$SINK/bodies" | grep '^In-Reply-To: ' | sort | tr '\n' ' ')" \
	'In-Reply-To: <1@x.example> In-Reply-To: <2@x.example> In-Reply-To: <3@x.example> ' 'each about its mail'
"$SANDBOX" up "$SANDBOX_DIR" database
wait_for 60 rows_are 4 || diag "$(tail -n 5 "$TMP/ingest.log")"
is "$(sql 'SELECT COUNT(*) FROM messages')" 4 'the database is back: all are stored'
wait_for 30 is_empty mail.in.support
wait_for 30 is_empty mail.out.transactional
kill -TERM "$ingest_pid"
wait "$ingest_pid"
is "$?" 0 'mailin-ingest ends well'
ingest_pid=
mailout_stop
is "$(mail_count)" 3 'no notice more'
is "$(waiting mail.dead)" 2 'and no dead letter'
done_testing
