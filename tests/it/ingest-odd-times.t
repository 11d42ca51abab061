#!/bin/sh
# Whatever a producer says of time: while the database is away no message is given up before it was tried after each
# tier, none is kept for ever, none is lost, and the times that are told make sense.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
/usr/bin/python3 -c 'import pika' 2> /dev/null || skip_all 'python3-pika is not installed'
own_sandbox --only broker,database
ingest_setup
sed -i 's/^tiers = .*/tiers = 300ms 600ms\nmax_age = 1d/' "$TMP/conf"
printf '\n[notify]\nenabled = no\ndelay_after = 1s\n' >> "$TMP/conf"
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
begun=$(date +%s)
today=$(date -u +%Y-%m-%dT%H:%M:%S.000Z)
# say NUMBER RECEIVED-AT MEMBERS FILE: a line for odd-messages.
say() {
	printf '{%s"Body": %s}\n' "$3" "$(documents --first "$1" --set "Mailpipe.ReceivedAt=\"$2\"")" >> "$TMP/$4"
}
old() { say "$1" "$2" "$3" old; }
young() { say "$1" "$2" "$3" young; }
old 1 "$today" '"Headers": {"first-seen": 1}, '
old 2 "$today" '"Headers": {"first-seen": {"Seconds": 86400}}, '
old 3 "$today" '"Timestamp": 1, '
old 4 1970-01-01T00:00:00.000Z ''
old 5 "$today" '"Headers": {"first-seen": 1000, "attempt": -7}, '
young 103 "$today" '"Headers": {"first-seen": 253402300799}, '
young 101 "$today" '"Headers": {"first-seen": 0}, '
young 102 "$today" '"Headers": {"first-seen": -1}, '
young 104 "$today" '"Headers": {"first-seen": 253402300800}, '
young 105 "$today" '"Headers": {"first-seen": 9223372036854775807}, '
young 106 "$today" '"Headers": {"first-seen": {"Seconds": 253402300799}}, '
young 107 "$today" '"Headers": {"first-seen": "1970-01-01", "attempt": "many"}, '
young 108 "$today" '"Headers": {"first-seen": [86400]}, '
young 109 "$today" '"Headers": {"first-seen": {"a": [1, null]}}, '
young 110 "$today" '"Headers": {"first-seen": true}, '
young 111 "$today" "\"Timestamp\": ${begun}000, "
young 112 "$today" '"Timestamp": 18446744073709551615, '
young 113 9999-12-31T23:59:59.999Z ''
young 114 "$today" '"Headers": {"first-seen": 1, "requeued": 1, "requeued-at": 253402300799}, '
young 115 "$today" '"Headers": {"attempt": 9223372036854775807}, '
young 116 "$today" '"Headers": {"first-seen": 9223372036854775807, "requeued-at": 9223372036854775807}, '
"$TREE/tests/lib/odd-messages" mail.in support < "$TMP/young" || die 'publish'

is "$(ctl status --json | jq -c '.Routes[] | select(.Name == "support") | [.OldestKind, .OldestMs < 60000]')" \
	'["at-least",true]' 'mailctl status does not believe that the first one is of the year 9999'

"$SANDBOX" kill "$SANDBOX_DIR" database
"$TREE/tests/lib/odd-messages" mail.in support < "$TMP/old" || die 'publish'
ingest_start
# The first one of tries() comes with the second tier, so a third is after each.
tries() { grep -c "0000000$1 event=delayed " "$TMP/log"; }
given_up() { [ "$(events dead)" -ge 5 ]; }
wait_for 60 given_up || diag "$(tail -n 5 "$TMP/log")"
is "$(grep ' event=dead ' "$TMP/log" | sed 's/.*-0*\([0-9]*\) event.*reason="\(given up after 3 tries\): .*/\1 \2/' | sort -n)" \
	"$(printf '%d given up after 3 tries\n' 1 2 3 4 5)" 'what is old is given up after each tier was tried'
all_tried() {
	for number in $(seq 101 116); do [ "$(tries "$number")" -ge 5 ] || return 1; done
}
ok 'what is of the future or of nonsense is tried on' wait_for 60 all_tried
is "$(events dead)" 5 'and not given up'
ingest_stop
home() { [ "$(probe count mail.in.support)" = 16 ]; }
wait_for 30 home
probe take mail.in.support 16 | grep ^key= | sed 's/.*first_seen=\([0-9]*\) .*/\1/' > "$TMP/seen"
now=$(date +%s)
is "$(awk -v from="$begun" -v to="$now" '$1 >= from && $1 <= to' "$TMP/seen" | wc -l)" 15 'they were first seen since the test began'
is "$(awk -v from="$begun" -v to="$now" '$1 < from || $1 > to' "$TMP/seen")" 1 'but for the one that an operator requeued'

"$SANDBOX" up "$SANDBOX_DIR" database
cat "$TMP/young" "$TMP/old" | "$TREE/tests/lib/odd-messages" mail.in support || die 'publish'
ingest_start
stored 21
ingest_stop
is "$(rows) $(sql 'SELECT COUNT(*) FROM inbound_pending WHERE status = "delayed"')" '21 0' 'with the database all are stored'
is "$(probe count mail.dead)" 5 'and none is given up'
done_testing
