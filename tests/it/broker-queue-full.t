#!/bin/sh
# A queue that is full refuses (nack): a RETRY, and the connection can be used on.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 2
use_sandbox --only broker,database
probe open 'declare-exchange x topic' 'declare-queue full' 'bind full x k' 'declare-queue free' 'bind free x free' > /dev/null
"$SANDBOX" broker "$SANDBOX_DIR" set_policy -p "$AMQP_VHOST" full '^full$' \
	'{"max-length": 1, "overflow": "reject-publish"}' --apply-to queues > /dev/null
# Quorum queues tell the publishers' channels a little after they are full.
answer=$(probe open confirm 'publish x k 1' 'publish x k 2' 'sleep 500' 'publish x k 3' 'sleep 500' 'publish x k 4' \
	'publish x free 5')
is "$(echo "$answer" | tail -n 2 | head -n 1)" \
	"retry 4.3.2 RabbitMQ at $AMQP_HOST:$AMQP_PORT refused the message for \"k\": the queue is full or has no majority of its nodes" \
	'refused'
is "$(echo "$answer" | tail -n 1)" ok 'a message for another queue passes'
