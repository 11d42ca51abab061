#!/bin/sh
# mailctl trace with the database or the broker away: it says so, and claims nothing it cannot know.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 16
own_sandbox --only broker,database
ingest_setup
trace_config=$TMP/conf
trace_args="--log=$TMP/log --log=$TMP/mail.log"
trace_no_postfix
: > "$TMP/mail.log"
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
published() {
	echo "$(date '+%b %e %T') mail mailin[7]: QUEUE00$1 $(id "$1") event=published route=support from=a@b.test to=support@example.com size=9 delay=0.1" >> "$TMP/mail.log"
}

for n in 1 2; do published $n; done
documents --set 'Mailpipe.Envelope.QueueID="QUEUE001"' | publish
ingest_start
stored 1
ingest_stop

"$SANDBOX" kill "$SANDBOX_DIR" broker
trace "$(id 1)"
is "$? $(said '.Messages[0].State')" '0 stored' 'broker away: what the database has is stored'
like "$(said '.NotLookedAt | join("\n")')" '^broker: ' 'the broker could not be asked, and that is told'
trace "$(id 2)"
is "$(said '.Messages[0].State')" unknown 'what is not stored may be anywhere'
like "$(said '.Messages[0].Conclusion')" 'published; what became of it is not known, for the broker could not be looked at' 'no claim'
sql "INSERT INTO inbound_pending (id, route, status, attempt, first_seen, next_attempt, reason, updated_at)
	VALUES (UNHEX(REPLACE('$(id 2)', '-', '')), 'support', 'delayed', 3, NOW(3), '2030-01-02 03:04:05', 'no luck', NOW(3))"
trace "$(id 2)"
is "$(said '.Messages[0] | .State + " " + .NextAttempt')" 'waiting 2030-01-02T03:04:05Z' 'unless inbound_pending tells'
"$SANDBOX" up "$SANDBOX_DIR" broker

"$SANDBOX" kill "$SANDBOX_DIR" database
trace "$(id 1)"
is "$? $(said '.Messages[0].State')" '0 stored' 'database away: what the log says was stored is stored'
like "$(said '.NotLookedAt | join("\n")')" '^database: ' 'the database could not be asked, and that is told'
trace "$(id 2)"
is "$(said '.Messages[0].State')" unknown 'what was published may be stored'
like "$(said '.Messages[0].Conclusion')" 'for the database could not be looked at' 'no claim'
trace --no-log "$(id 1)"
is "$? $(said '.Messages | length')" '1 0' 'without the log, nothing is known'
"$BUILD/bin/mailctl" -c "$TMP/conf" show "$(id 1)" > "$TMP/out" 2>&1
like "$? $(cat "$TMP/out")" '^1 mailctl: show: ' 'show says so, too'
"$BUILD/bin/mailctl" -c "$TMP/conf" export "$(id 1)" "$TMP/export" > "$TMP/out" 2>&1
like "$? $(cat "$TMP/out")" '^1 mailctl: export: ' 'as does export'
ok 'which makes no folder then' test ! -e "$TMP/export"

"$SANDBOX" kill "$SANDBOX_DIR" broker
trace "$(id 2)"
is "$(said '.Messages[0] | .State + ": " + .Conclusion')" \
	'unknown: it was published; what became of it is not known, for database and broker could not be looked at' 'both away'
is "$(said '.NotLookedAt | length')" 2 'both are told'
text=$("$BUILD/bin/mailctl" -c "$TMP/conf" trace --log="$TMP/mail.log" "$(id 2)")
is "$(echo "$text" | grep -c '^NOT looked at: ')" 2 'also to people'
