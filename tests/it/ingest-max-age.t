#!/bin/sh
# What could not be stored within retry.max_age goes to mail.dead, with the reason and all it came with.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 6
own_sandbox --only broker,database
ingest_setup
sed -i 's/^tiers = .*/tiers = 300ms 600ms\nmax_age = 4s/' "$TMP/conf"
printf '\n[notify]\nenabled = no\ndelay_after = 1s\n' >> "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
"$SANDBOX" kill "$SANDBOX_DIR" database
now=$(date +%s)
documents | tr -d '\n' > "$TMP/body"
FIRST_SEEN=$now probe give support < "$TMP/body"
ingest_start
await_log 'event=dead '
ok 'not before its time' test $(($(date +%s) - now)) -ge 3
ok 'after some tries' test "$(events delayed)" -ge 2
ingest_stop
probe take mail.dead > "$TMP/dead"
like "$(head -n 1 "$TMP/dead")" \
	"^key=mail.in.support content_type=application/json message_id=an-id type=mailpipe.inbound.v1 app_id=a-producer timestamp=1795348001 queue_id=4QUEUEID first_seen=$now attempt=[5-9] error=given up after [5-9] tries: .*database error" \
	'properties and reason'
is "$(tail -n +2 "$TMP/dead")" "$(cat "$TMP/body")" 'the body is untouched'
is "$(probe count mail.in.support) $(probe count mail.retry.300ms) $(probe count mail.retry.600ms)" '0 0 0' 'it is nowhere else'
# Old as it may be: it is stored when the database is there.
"$SANDBOX" up "$SANDBOX_DIR" database
FIRST_SEEN=$((now - 1000)) probe give support < "$TMP/body"
ingest_start
stored 1
ingest_stop
is "$(rows) $(probe count mail.dead)" '1 0' 'an old one is stored all the same'
