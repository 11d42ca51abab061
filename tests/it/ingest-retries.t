#!/bin/sh
# The database is down for a while under load: a batch in hand goes to a tier, the rest of the queue stays
# untouched, and when it is back everything is stored, in the right number.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 13
own_sandbox --only broker,database
ingest_setup
ingest_set batch_count 20
ingest_set workers 2
sed -i '0,/^workers = 1/{/^workers = 1$/d}' "$TMP/conf"
sed -i 's/^tiers = .*/tiers = 2s 600s/' "$TMP/conf"
printf '\n[notify]\nenabled = no\n' >> "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
now() { date -u +%Y-%m-%dT%H:%M:%S.000Z; }
many() { documents "$@" --set "Mailpipe.ReceivedAt=\"$(now)\"" | publish; }
many --count 2000 --text-bytes 2000
store_slowly
ingest_start
stored 100
"$SANDBOX" kill "$SANDBOX_DIR" database
await_log 'event=delayed '
# Each worker puts back what it had read ahead, and holds the head alone.
untouched() {
	sleep 1
	[ "$("$SANDBOX" broker "$SANDBOX_DIR" list_queues -p "$AMQP_VHOST" name messages_unacknowledged |
		awk '$1 == "mail.in.support" { print $2 }')" = 2 ]
}
ok 'two workers hold a message each' wait_for 60 untouched
delayed=$(events delayed)
ok 'one batch of each was moved at most' test "$delayed" -ge 1 -a "$delayed" -le 40
like "$(grep -m 1 'event=delayed ' "$TMP/log")" \
	' Q[0-9]+ 00000000-0000-8000-8000-[0-9]+ event=delayed queue=mail.in.support size=[0-9]+ attempt=1 next=[0-9]+ status=4\.[0-9.]+ reason="' \
	'the log tells when it is tried again, and why'
many --first 2001 --count 50
"$SANDBOX" up "$SANDBOX_DIR" database
store_fast
stored 2050
settled() { [ "$(probe count mail.in.support)" = 0 ] && [ "$(probe count mail.retry.2s)" = 0 ]; }
wait_for 30 settled
ingest_stop
is "$(rows)" 2050 'all are stored'
is "$(probe count mail.dead) $(probe count mail.retry.600s)" '0 0' 'none is given up or waits for long'
again=$(grep -cE 'event=(stored|duplicate) .* attempt=2$' "$TMP/log")
is "$again" "$delayed" 'those that were moved were stored with the second attempt'
is "$(grep -cE 'event=(stored|duplicate) .* attempt=([3-9]|[0-9]{2,})$' "$TMP/log")" 0 'none needed a third'
is "$ingest_status" 0 'exit status'

# With the database away from the start, a head that is due goes on; its headers.
"$SANDBOX" kill "$SANDBOX_DIR" database
sed -i 's/^enabled = no/&\ndelay_after = 3s/' "$TMP/conf"
begun=$(date +%s)
documents --first 5001 --delete Mailpipe.Defects --set "Mailpipe.ReceivedAt=\"$(now)\"" | publish
published=$(date +%s)
: > "$TMP/log"
ingest_start
await_log 'event=delayed .* attempt=1 '
ok 'a head is held until its notice is due' test $(($(date +%s) - begun)) -ge 2
# Back from the first tier it is due at once.
await_log 'event=delayed .* attempt=2 '
in_tier() { [ "$(probe count mail.retry.600s)" = 1 ]; }
wait_for 30 in_tier
head=$(probe take mail.retry.600s | head -n 1)
like "$head" '^key=mail.in.support .* attempt=3 error=.*: database error' 'attempt and reason in the tier'
seen=$(echo "$head" | sed 's/.*first_seen=\([0-9]*\).*/\1/')
ok 'first-seen is when it was received' test "$seen" -ge $((begun - 1)) -a "$seen" -le "$published"
is "$(probe count mail.in.support)" 0 'the queue is empty'
ingest_stop
is "$ingest_status" 0 'exit status'
