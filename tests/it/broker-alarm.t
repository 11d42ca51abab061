#!/bin/sh
# Under a memory alarm RabbitMQ takes nothing, without limit: a publish ends at its deadline all the same.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 9
own_sandbox --only broker
at=$AMQP_HOST:$AMQP_PORT
probe open 'declare-exchange x topic' 'declare-queue q' 'bind q x k' confirm 'publish x k before' > /dev/null
"$SANDBOX" broker "$SANDBOX_DIR" set_vm_memory_high_watermark 0 > /dev/null
export PROBE_DEADLINE=2000

answer=$(probe open confirm 'timed publish x k small' blocked 'publish x k again')
like "$answer" "^retry 4\.3\.2 RabbitMQ at $at: it takes no messages at present \(low on memory\)$" 'a small message'
at_most 15000 "$answer" '... not later than the deadline'
at_least 1900 "$answer" '... nor before'
is "$(echo "$answer" | tail -n 2 | head -n 1)" 'low on memory' 'the alarm can be asked for'
is "$(echo "$answer" | tail -n 1)" "retry 4.3.2 RabbitMQ at $at: it takes no messages at present (low on memory)" \
	'nothing more is tried on this connection'

answer=$(probe open confirm 'timed publish-bytes x k 50000000' close)
like "$answer" "^retry 4\.3\.2 RabbitMQ at $at: the message was not sent: it does not take it in time" \
	'a large message, with the library stuck in its write'
at_most 15000 "$answer" '... not later than the deadline'

unset PROBE_DEADLINE
is "$(probe open 'consume q 1' next ack | grep -c '^delivery')" 1 'consuming goes on meanwhile'

"$SANDBOX" broker "$SANDBOX_DIR" set_vm_memory_high_watermark 0.9 > /dev/null
is "$(probe open confirm 'publish x k after' | tail -n 1)" ok 'when the alarm is over, so is the trouble'
