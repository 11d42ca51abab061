#!/bin/sh
# A server that stalls, breaks off or sends nonsense costs the connection, never a wrong answer or a crash.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 26
PROBE_VHOST=/ PROBE_USER=u PROBE_PASSWORD=p FAKE_GO=$TMP/go
export PROBE_VHOST PROBE_USER PROBE_PASSWORD FAKE_GO

# fake SCRIPT COMMAND ...: the answers of a probe to that script, without the server's address
fake() {
	python3 "$TREE/tests/lib/fake_amqp.py" "$1" > "$TMP/port" 2> "$TMP/log" &
	fake_pid=$!
	shift
	wait_for 30 test -s "$TMP/port" || die "$(cat "$TMP/log")"
	PROBE_HOSTS=127.0.0.1:$(cat "$TMP/port") probe open "$@" | tail -n +2 |
		sed 's/127\.0\.0\.1:[0-9]*/AT/; s/ exchange.*//; s/ redelivered=0//'
	kill "$fake_pid"
	wait "$fake_pid" 2> /dev/null
	: > "$TMP/port"
}

consumed() { fake "$1" 'consume q 10' 'next 30000' | tail -n 1; }
lost='lost 4.4.2 RabbitMQ at AT'

is "$(fake half-then-rest 'consume q 10' 'next 300' "system 'touch $TMP/go'" 'next 30000')" "ok
timeout
delivery queue=q size=10 body=0123456789" 'a message of which half has come is continued'
is "$(rm "$TMP/go"; fake frame-in-two 'consume q 10' 'next 300' 'next 0' "system 'touch $TMP/go'" 'next 30000')" "ok
timeout
timeout
delivery queue=q size=5 body=01234" 'half a frame, too'
like "$(consumed half-then-gone)" "^$lost: connection lost: " 'gone in the middle'
is "$(consumed byte-by-byte)" 'delivery queue=q size=3 body=abc' 'byte by byte'
is "$(fake many-at-once 'consume q 5000' 'drain 2000' 'next 0')" "ok
ok
timeout" 'two thousand at once'
for script in body-without-header header-without-deliver body-too-long body-without-end deliver-twice \
	unknown-consumer odd-consumer; do
	is "$(consumed $script)" "$lost: frames that make no sense came in" "$script"
done
for script in wrong-frame-end garbage oversized-frame; do
	is "$(consumed $script)" "$lost: connection lost: invalid AMQP data" "$script"
done
like "$(consumed unknown-method)" "^$lost: connection lost: " 'unknown-method'
is "$(consumed channel-closed-halfway)" 'lost 4.3.5 RabbitMQ at AT says: NOT_FOUND - half (404)' \
	'the channel is closed in the middle of a message'
is "$(consumed connection-closed)" 'lost 4.3.5 RabbitMQ at AT says: INTERNAL_ERROR -  [31mred (541)' \
	'what the server says cannot play tricks on a terminal'
is "$(fake blocked 'consume q 10' 'next 30000' blocked 'next 30000' blocked)" "ok
delivery queue=q size=0 body=
low on disk
delivery queue=q size=0 body=
not blocked" 'an alarm is noted and forgotten'

published() { fake "$1" confirm 'publish x k hello' | tail -n 1; }
is "$(published ack)" ok 'acked'
is "$(published ack-multiple)" ok 'acked with all before it'
is "$(published nack)" \
	'retry 4.3.2 RabbitMQ at AT refused the message for "k": the queue is full or has no majority of its nodes' 'nacked'
is "$(published returned-then-ack)" \
	'retry 4.3.5 RabbitMQ at AT returned the message: NO_ROUTE (312); no queue is bound to' 'returned, then acked'
# shellcheck disable=SC2030,SC2031 # for that one alone
is "$(export PROBE_DEADLINE=2000; published ack-for-another)" 'retry 4.4.1 RabbitMQ at AT: no confirm in time' 'an ack for no message of ours'
is "$(published closed-instead)" 'retry 4.3.5 RabbitMQ at AT says: ACCESS_REFUSED - no (404)' 'closed instead'
# shellcheck disable=SC2030,SC2031
is "$(export PROBE_DEADLINE=2000; published silence)" 'retry 4.4.1 RabbitMQ at AT: no confirm in time' 'no answer at all'
