#!/bin/sh
# Heartbeats keep an idle connection alive while it waits; one that nobody looks after is closed.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 3
use_sandbox --only broker,database
export PROBE_HEARTBEAT=1
probe open 'declare-exchange x topic' 'declare-queue q' 'bind q x k' > /dev/null
is "$(probe open 'consume q 1' 'next 5000' confirm 'publish x k still' 'next 3000' |
	sed 's/ redelivered.*body=/ /; s/ exchange.*//')" \
	"ok
ok
timeout
ok
ok
delivery queue=q still" 'five seconds idle with a heartbeat of one'
mkfifo "$TMP/never"
is "$(probe open confirm 'next 5000 4' 'publish x k still' 4<> "$TMP/never")" "ok
ok
timeout
ok" 'also with a descriptor to wait for'
for pause in 5000 20000; do
	answer=$(probe open "sleep $pause" 'next 100')
	case $answer in *lost*) break ;; esac
done
like "$answer" \
	"^lost 4\.4\.2 RabbitMQ at $AMQP_HOST:$AMQP_PORT: connection lost: " \
	'RabbitMQ closes one that is not called'
