#!/bin/sh
# Connections end in order: RabbitMQ's log has no warning of clients that "unexpectedly closed".
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 3
use_sandbox --only broker,database
log=$SANDBOX_DIR/log/broker.log

# How many connections to our virtual host ended at that level.
closed() { grep -c "\[$1\] .*closing AMQP connection .*vhost: '$AMQP_VHOST'" "$log"; }
settled() { [ $(($(closed info) + $(closed warning))) -ge "$1" ]; }

probe open 'declare-exchange x topic' 'declare-queue q' 'bind q x k' confirm 'publish-bytes x k 1000 50' > /dev/null
for _ in 1 2 3 4 5; do
	probe open confirm 'publish x k hello' > /dev/null
	probe open 'consume q 40' next > /dev/null	# with deliveries that nobody has read
done
ok 'eleven connections have ended' wait_for 30 settled 11
# On a machine under load some answers may take longer than we wait for them; not all of one kind.
ok 'in order' test "$(closed warning)" -le 4
at_most 5000 "$(probe open confirm 'publish x k hello' 'timed close')" 'and at once'
