#!/bin/sh
# Messages come with their properties, whole, in order and from several queues; waiting ends in time.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 13
use_sandbox --only broker,database

probe open 'declare-exchange x topic' 'declare-queue a' 'declare-queue b' 'bind a x a' 'bind b x b' \
	confirm 'publish x a first' 'publish x b second' > /dev/null
is "$(probe open 'consume a 1' 'next' 'nack 1' 'next' ack 'next 200')" \
	"ok
ok
delivery queue=a redelivered=0 size=5 body=first exchange=x key=a type=application/json/mailpipe.inbound.v1 id=probe-1 app=probe time=1700000001 queue-id=4XYZ attempt=3 first-seen=1700000000 last-error=4.3.0 later
ok
delivery queue=a redelivered=1 size=5 body=first exchange=x key=a type=application/json/mailpipe.inbound.v1 id=probe-1 app=probe time=1700000001 queue-id=4XYZ attempt=3 first-seen=1700000000 last-error=4.3.0 later
ok
timeout" 'with its properties; after a nack again'

probe open confirm 'publish x a first' > /dev/null
is "$(probe open 'consume a 10' 'consume b 10' next next ack 'next 200' | sed 's/ redelivered.*body=/ /; s/ exchange.*//' | sort)" \
	"delivery queue=a first
delivery queue=b second
ok
ok
ok
ok
timeout" 'from two queues on one connection, also what comes while the second is asked for'
# RabbitMQ learns of a consumer's end a little later.
empty() { [ "$(probe open 'check-queue a' 'check-queue b' | grep -c '^ok 0 messages 0 consumers$')" = 2 ]; }
ok 'one ack was for both' wait_for 30 empty

# Any producer may send anything.
amqp-publish -u "$AMQP_URL" -r a -b plain
is "$(probe open 'consume a 1' next ack)" \
	"ok
ok
delivery queue=a redelivered=0 size=5 body=plain exchange= key=a type=(null)/(null) id=(null) app=(null) time=0 queue-id=(null) attempt=0 first-seen=0 last-error=(null)
ok" 'without any property'
amqp-publish -u "$AMQP_URL" -r a -b odd -H 'attempt: many' -H 'queue-id: 4ABC' -H 'queue-id: 4DEF' -H 'first-seen: 12'
is "$(probe open 'consume a 1' next ack | grep -o 'queue-id.*')" \
	"queue-id=4ABC attempt=0 first-seen=0 last-error=(null)" 'headers of another type count as absent'
amqp-publish -u "$AMQP_URL" -r a -b long -H "queue-id: $(printf '%02000d' 0)"
is "$(probe open 'consume a 1' next ack | grep -o 'queue-id=[0-9]*')" "queue-id=$(printf '%01024d' 0)" \
	'a long header is cut'
amqp-publish -u "$AMQP_URL" -r a -b ''
is "$(probe open 'consume a 1' next ack | grep -o 'size=0 body=')" 'size=0 body=' 'an empty one'

is "$(probe open confirm 'publish-bytes x a 14000000 3' 'consume a 2' 'drain 3 1' | tail -n 1)" ok \
	'three of 14 MB'

answer=$(probe open 'consume a 1' 'timed next 400')
at_least 390 "$answer" 'waiting takes as long as asked'
at_most 20000 "$answer" '... and not until the next heartbeat'
at_most 20000 "$(probe open 'consume a 1' 'timed next 60000 3' 3< /dev/null)" \
	'a descriptor that becomes readable ends it'
amqp-publish -u "$AMQP_URL" -r a -b ready
# It has to be there by then: it is looked for again.
looks() { probe open 'consume a 1' 'sleep 500' 'next 0' | grep -q '^delivery .*body=ready'; }
ok 'a deadline in the past still looks' wait_for 30 looks

is "$(probe open 'consume missing 1')" \
	"ok
retry 4.3.5 RabbitMQ at $AMQP_HOST:$AMQP_PORT says: NOT_FOUND - no queue 'missing' in vhost '$AMQP_VHOST' (404)" \
	'a missing queue'
