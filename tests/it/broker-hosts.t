#!/bin/sh
# The hosts are tried in order; one that refuses or is silent does not keep the next from being asked.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 7
use_sandbox --only broker,database
at=$AMQP_HOST:$AMQP_PORT
silent_server
export PROBE_DEADLINE=20000

is "$(PROBE_HOSTS=127.0.0.1:1,$at probe open confirm)" "ok
ok" 'the first one refuses'
answer=$(PROBE_HOSTS=127.0.0.1:$silent_port,$at probe 'timed open' confirm)
is "$(echo "$answer" | grep -c '^ok$')" 2 'the first one is silent'
at_least 4500 "$answer" 'which costs its share of the time'
at_most 100000 "$answer" '... and no more'

answer=$(PROBE_DEADLINE=1000 PROBE_HOSTS=127.0.0.1:$silent_port probe 'timed open')
is "$(echo "$answer" | head -n 1)" \
	"retry 4.4.1 no connection to RabbitMQ: 127.0.0.1:$silent_port: connected, but no answer to the login in time" \
	'a silent one alone: its failure is told'
at_most 10000 "$answer" '... when the deadline passes'

python3 "$TREE/tests/lib/fake_amqp.py" silence ::1 > "$TMP/port" 2> "$TMP/log" &
fake_pid=$!
at_exit "kill $fake_pid 2> /dev/null"
if wait_for 30 test -s "$TMP/port"; then
	is "$(PROBE_HOSTS="[::1]:$(cat "$TMP/port")" probe open confirm)" "ok
ok" 'an IPv6 address'
else
	pass 'an IPv6 address # SKIP there is no ::1 here'
fi
