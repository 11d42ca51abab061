#!/bin/sh
# mailout and time: the clock jumps a week ahead and back while requests wait in tiers (libfaketime), and requests say
# that they were first seen long ago or in the future.  Each is tried after each tier, and none for ever.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/clock.sh"
/usr/bin/python3 -c 'import pika' 2> /dev/null || skip_all 'python3-pika is not installed'
clock_setup
use_sandbox --only broker,database
mailout_setup
mailout_set retry max_age 1d
mailout_set retry tiers '300ms 600s 700s'
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
# ask NUMBER MEMBERS: a request that is refused for the time being.
ask() {
	printf '{%s"Body": %s}\n' "$2" "$(first=$1 requests 1 '' 'tempfail@example.test')" |
		"$TREE/tests/lib/odd-messages" mail.out transactional || die 'publish'
}
try_now() { ctl retry now --stream=transactional > "$TMP/moved" 2>&1 || diag "$(cat "$TMP/moved")"; }
waits() { [ "$(waiting "mail.retry.$1")" = "$2" ]; }
await_tier() { wait_for 30 waits "$1" "$2" || diag "$1: $(waiting "mail.retry.$1"), not $2; $(tail -n 3 "$TMP/log")"; }
dead() { waiting mail.dead; }
# shellcheck disable=SC2034
start() {
	( clock_exec "$BUILD/sbin/mailout" --config "$TMP/conf" --foreground 2>> "$TMP/log" 4>&- ) &
	mailout_pid=$!
}

begun=$(date +%s)
start
ask 1 ''
await_tier 600s 1
clock_set +7d
try_now
await_tier 700s 1
is "$(dead)" 0 'a week ahead: it is not given up'
try_now
recorded 'failed 1'
like "$(sql 'SELECT last_reply FROM outbound')" '^given up after 4 tries; the last reply: mailbox is busy$' \
	'but it is when it was tried after each tier'
ask 2 ''
await_tier 600s 1
clock_set -7d
try_now
await_tier 700s 1
ok 'a week back: the next try is by the new clock' test \
	"$(sql 'SELECT TIMESTAMPDIFF(SECOND, next_attempt, UTC_TIMESTAMP()) FROM outbound WHERE status = "deferred"')" -ge $((6 * 86400))
is "$(dead)" 1 'and it is not given up'
mailout_stop
is "$mailout_status" 0 'exit status'

# Old ones and young ones; the one in the tier goes with them, with a try less to go.
clock_set +0
start
ask 11 '"Headers": {"first-seen": 1}, '
ask 12 '"Headers": {"first-seen": {"Seconds": 1}, "attempt": 1}, '
ask 21 '"Headers": {"first-seen": 253402300799}, '
ask 22 '"Headers": {"first-seen": 9223372036854775807, "attempt": "1"}, '
ask 23 '"Headers": {"first-seen": "1", "requeued": 1, "requeued-at": 253402300799}, '
ask 24 '"Headers": {"first-seen": -1, "attempt": -1}, '
await_tier 600s 6
is "$(dead)" 1 'old or not, each is tried again'
try_now
await_tier 700s 6
try_now
old_dead() { [ "$(dead)" = 4 ]; }
wait_for 30 old_dead || diag "$(tail -n 3 "$TMP/log")"
is "$(dead)" 4 'what is old is given up after each tier was tried'
await_tier 700s 4
is "$(for n in 2 11 12 21 22 23 24; do status_of $n; done | paste -sd ' ')" \
	'failed failed failed deferred deferred deferred deferred' 'what is of the future or of nonsense is tried on'
mailout_stop
"$BUILD/tests/it/ingest_probe" take mail.retry.700s 4 | sed -n 's/^key.* first_seen=\([0-9]*\) .*/\1/p' > "$TMP/seen"
is "$(awk -v from="$begun" -v to="$(date +%s)" '$1 >= from && $1 <= to' "$TMP/seen" | wc -l)" 4 \
	'and was first seen since the test began'
done_testing
