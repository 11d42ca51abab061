#!/bin/sh
# mailctl trace of requests: one that waits in a tier, one that failed, and what looking does to them.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 29
use_sandbox --only broker,database
mailout_setup
mailout_set retry tiers '600s 1200s'
"$BUILD/bin/mailctl" -c "$TMP/conf" setup --only=amqp > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/log"
id() { printf '00000000-0000-4000-8000-%012d' "$1"; }

begun=$(date +%s)
requests 2 '' 'tempfail@example.test' | publish
first=3 requests 1 '' 'unknown@example.test' | publish
first=4 requests 1 '' 'fine@example.test' | publish
first=5 requests 1 '"Nonsense": 1' 'odd@example.test' | publish
mailout_start
recorded 'deferred 2,failed 1,sent 1'
is_dead() { [ "$(waiting mail.dead)" = 2 ]; }
wait_for 30 is_dead || diag "dead letters: $(waiting mail.dead)"
mailout_stop

trace "$(id 1)"
is "$?" 0 'a request that waits'
is "$(said '.Messages[0] | [.Direction, .State, .MessageStream] | join(" ")')" 'outbound waiting transactional' 'is found'
next=$(date -d "$(said '.Messages[0].NextAttempt')" +%s)
now=$(date +%s)
ok 'with the time of its next try' test "$next" -ge $((begun + 600)) -a "$next" -le $((now + 600))
is "$(said '.Messages[0] | [.Queue, .ReturnsTo, .Attempt] | map(tostring) | join(" ")')" \
	'mail.retry.600s mail.out.transactional 2' 'and where it waits'
like "$(said '.Messages[0].Conclusion')" '^deferred until 20.*Z, in a retry tier: mailbox is busy$' 'and why'
is "$(said '[.Messages[0].Events[] | .Source + ":" + .Event] | sort | join(" ")')" \
	'broker:published broker:waiting database:deferred database:deferred database:request log:deferred' \
	'each source knows something of it'
like "$(said '[.Messages[0].Events[] | select(.Event == "deferred") | .Text] | join("\n")')" 'to tempfail@example.test: 451 4.2.1 ' \
	'with what the server replied'

trace tempfail@example.test
is "$(said '[.Messages[].MessageID] | sort | join(" ")')" "$(id 1) $(id 2)" 'an address leads to two'

trace "$(id 3)"
is "$(said '.Messages[0].State')" failed 'a request that failed'
like "$(said '.Messages[0].Conclusion')" 'it lies in mail.dead$' 'lies in mail.dead'
is "$(said '.Messages[0] | [.Queue, .ReturnsTo] | join(" ")')" 'mail.dead mail.out.transactional' 'and came from'
trace "$(id 4)"
is "$(said '.Messages[0].State')" sent 'a request that was sent'
is "$(said '.Messages[0].Queue')" null 'is not on the broker'
trace "$(id 5)"
is "$(said '.Messages[0].State')" dead 'a request that could not be read'
like "$(said '.Messages[0].Conclusion')" '^given up, it lies in mail.dead: .*Nonsense' 'with the reason'
is "$(said '.Messages[0].To')" odd@example.test 'its body tells to whom it was'
trace odd@example.test
is "$(said '.Messages[0].MessageID')" "$(id 5)" 'and so it is found by that'

# What looking does: nothing is lost, dropped or moved, and the time of the next try stays.
for look in $(seq 25); do
	trace "$(id 1)" || diag "look $look failed"
done
is "$(waiting mail.dead)" 2 'after 25 looks the dead letters are still there'
is "$(date -d "$(said '.Messages[0].NextAttempt')" +%s)" "$next" 'a next try is when it was'
is "$(said '.Messages[0].Queue')" mail.retry.600s 'in the same tier'
is "$(waiting mail.out.transactional) $(waiting mail.retry.600s)" '0 2' 'and did not come back'

# However often it is looked at, a message leaves its tier in the end, and not before its time.
mailout_set retry tiers '4s 600s 1200s'
"$BUILD/bin/mailctl" -c "$TMP/conf" setup --only=amqp > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
next=$(($(date +%s) + 4))
first=6 requests 1 | "$BUILD/tests/it/trace_probe" 4s mail.out.transactional "$(id 6)" "${next}000" busy
has_left() {
	trace "$(id 6)"
	[ "$(waiting mail.out.transactional)" = 1 ]
}
ok 'it leaves the tier' wait_for 60 has_left
ok 'not too early' test "$(date +%s)" -ge "$next"
is "$("$BUILD/bin/mailctl" -c "$TMP/conf" retry now --id="$(id 1)" --json | jq .Moved)" 1 'and another one by retry now'
trace "$(id 1)"
like "$(said '.Messages[0].Conclusion')" '^deferred until ' 'the record still tells of its next try'
is "$(said '.Messages[0].Queue')" null 'but it is in no tier'

# Without the record.
sql 'DELETE FROM outbound'
trace "$(id 3)"
is "$(said '.Messages[0].State')" dead 'without the record: dead'
trace "$(id 1)"
is "$(said '.Messages[0].State')" waiting 'without the record, in the log alone: deferred'
trace --no-log "$(id 1)"
is "$? $(said '.Messages | length')" '1 0' 'without any, nothing is known'
