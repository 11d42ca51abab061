#!/bin/sh
# The first message of a queue can be looked at: it is given back to its place, and RabbitMQ counts it.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 7
use_sandbox --only broker,database

probe open 'declare-exchange x topic' 'declare-queue a 20' 'declare-queue b' 'declare-queue serial 0 1' 'bind a x a' 'bind b x b' 'bind serial x s' \
	confirm 'publish x a first' 'publish x a second' 'publish x s third' > /dev/null
is "$(probe open 'get a' 'nack 1' 'get a' 'nack 1')" \
	"ok
got queue=0 redelivered=0 count=0 size=5 body=first id=probe-1 time=1700000001
ok
got queue=0 redelivered=1 count=1 size=5 body=first id=probe-1 time=1700000001
ok" 'the same one again, counted'
counted() { probe open 'get a' | grep -q "count=$1 .* body=first"; }
wait_for 30 counted 2
ok '... also when the connection ends instead' wait_for 30 counted 3
is "$(probe open 'consume a 1' next ack next ack 'next 200' | sed 's/.*body=\([a-z]*\) .*/\1/')" \
	"ok
ok
first
ok
second
ok
timeout" 'its place is kept'
# mailctl/oldest.c relies on the first and avoids the second.
probe open confirm 'publish x b first' 'publish x b second' > /dev/null
is "$(probe open 'get b' 'nack 1' 'get b' 'nack 1' | sed 's/.*body=\([a-z]*\) .*/\1/')" "ok
first
ok
second
ok" 'without a delivery limit it goes to the end'
is "$(probe open 'get a' 'get a')" "ok
empty
empty" 'an empty queue'
like "$(probe open 'get missing' 'get a')" "^retry 4.3.5 .*NOT_FOUND" 'a queue that is not there'
is "$(probe open 'get serial' 'get a' | sed 's/.*says: //; s/locked queue.*vhost.*\. basic/... basic/')" "ok
RESOURCE_LOCKED - cannot obtain access to ... basic.get operations are not supported by quorum queues with single active consumer (405)
empty" 'one with a single active consumer; the connection can be used on'
