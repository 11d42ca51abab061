#!/bin/sh
# A broker that hangs, closes or dies while we wait for messages is noticed.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 7
own_sandbox --only broker
at=$AMQP_HOST:$AMQP_PORT
broker_pid=$(cat "$SANDBOX_DIR/run/broker.pid")
probe open 'declare-exchange x topic' 'declare-queue q' 'bind q x k' > /dev/null

answer=$(PROBE_HEARTBEAT=1 probe open 'consume q 1' "system 'kill -STOP $broker_pid'" 'timed next 10000' \
	"system 'kill -CONT $broker_pid'")
like "$answer" "^lost 4\.4\.2 RabbitMQ at $at: connection lost: heartbeat timeout, connection closed$" 'it hangs'
at_most 9000 "$answer" '... noticed after two heartbeats'

answer=$(probe open 'consume q 1' "system '\"$SANDBOX\" broker \"$SANDBOX_DIR\" close_all_connections maintenance > /dev/null'" \
	next next)
is "$(echo "$answer" | tail -n 2)" \
	"lost 4.3.2 RabbitMQ at $at says: CONNECTION_FORCED - maintenance (320)
lost 4.3.2 RabbitMQ at $at says: CONNECTION_FORCED - maintenance (320)" 'it closes the connection, and says why'

answer=$(probe open 'consume q 1' confirm "system '\"$SANDBOX\" kill \"$SANDBOX_DIR\" broker'" 'timed next 10000' \
	ack 'publish x k hello')
like "$answer" "^lost 4\.4\.2 RabbitMQ at $at: connection lost: " 'it is killed'
at_most 9000 "$answer" '... noticed without a time-out'
is "$(echo "$answer" | tail -n 2 | sed "s/.*$at: //; s/:.*//" | uniq -c | tr -s ' ')" ' 2 connection lost' \
	'further calls fail for the same reason'
is "$(probe open)" "retry 4.4.1 no connection to RabbitMQ: $at: cannot connect: Connection refused" 'it is gone'
