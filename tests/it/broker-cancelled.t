#!/bin/sh
# A queue that is deleted under a consumer does not leave it waiting for ever; other queues go on.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 1
use_sandbox --only broker,database
probe open 'declare-queue a' 'declare-queue b' > /dev/null
is "$(probe open 'consume a 1' 'consume b 1' "system 'amqp-delete-queue -u $AMQP_URL -q a > /dev/null'" next \
	"system 'amqp-publish -u $AMQP_URL -r b -b still'" next ack 'next 200' | sed 's/ redelivered.*body=/ /; s/ exchange.*//')" \
	"ok
ok
ok
cancelled 4.3.5 RabbitMQ at $AMQP_HOST:$AMQP_PORT sends nothing more from queue \"a\": it was deleted or moved
delivery queue=b still
ok
timeout" 'the consumer hears of it, and of the other queue'
