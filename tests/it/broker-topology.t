#!/bin/sh
# The topology can be declared again and again; what is there in another form is refused in RabbitMQ's words.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 8
use_sandbox --only broker,database
cat > "$TMP/conf" <<'END'
[route support]
recipients = support@example.com
[route orders]
recipients = orders@example.com
serial = yes
END
wanted='ok
exchange mail.dead (topic)
queue mail.dead (quorum)
binding mail.dead -> mail.dead for #
exchange mail.in (topic)
exchange mail.out (topic)
exchange mail.events (topic)
queue mail.in.support (quorum)
binding mail.in -> mail.in.support for support
queue mail.in.orders (quorum, single active consumer)
binding mail.in -> mail.in.orders for orders
queue mail.out.transactional (quorum)
binding mail.out -> mail.out.transactional for transactional
queue mail.out.bulk (quorum)
binding mail.out -> mail.out.bulk for bulk
exchange mail.retry.1m (fanout)
queue mail.retry.1m (quorum)
binding mail.retry.1m -> mail.retry.1m
exchange mail.retry.5m (fanout)
queue mail.retry.5m (quorum)
binding mail.retry.5m -> mail.retry.5m
exchange mail.retry.15m (fanout)
queue mail.retry.15m (quorum)
binding mail.retry.15m -> mail.retry.15m
exchange mail.retry.1h (fanout)
queue mail.retry.1h (quorum)
binding mail.retry.1h -> mail.retry.1h
exchange mail.retry.4h (fanout)
queue mail.retry.4h (quorum)
binding mail.retry.4h -> mail.retry.4h
ok'
is "$(probe open "topology $TMP/conf")" "$wanted" 'declared'
is "$(probe open "topology $TMP/conf")" "$wanted" 'declared again'
is "$(probe open confirm 'publish mail.in support a' 'publish mail.in orders b' 'check-queue mail.in.support' \
	'check-queue mail.in.orders' 'check-exchange mail.in' 'check-exchange mail.dead' | tail -n 4)" \
	"ok 1 messages 0 consumers
ok 1 messages 0 consumers
ok
ok" 'each route to its queue'

sed -i '/serial/d' "$TMP/conf"
is "$(probe open "topology $TMP/conf" | tail -n 1)" \
	"retry 4.3.5 queue mail.in.orders (quorum): RabbitMQ at $AMQP_HOST:$AMQP_PORT says: PRECONDITION_FAILED - inequivalent arg 'x-single-active-consumer' for queue 'mail.in.orders' in vhost '$AMQP_VHOST': received none but current is the value 'true' of type 'bool' (406)" \
	"other arguments are refused in RabbitMQ's words"
is "$(probe open 'check-queue nowhere' 'check-exchange nowhere' 'check-exchange mail.in')" \
	"ok
retry 4.3.5 RabbitMQ at $AMQP_HOST:$AMQP_PORT says: NOT_FOUND - no queue 'nowhere' in vhost '$AMQP_VHOST' (404)
retry 4.3.5 RabbitMQ at $AMQP_HOST:$AMQP_PORT says: NOT_FOUND - no exchange 'nowhere' in vhost '$AMQP_VHOST' (404)
ok" 'after a no the next question is answered on a new channel'

like "$(PROBE_USER=$AMQP_PUBLISH_USER PROBE_PASSWORD=$AMQP_PUBLISH_PASSWORD probe open "topology $TMP/conf" | tail -n 1)" \
	"^retry 4\.3\.5 exchange mail\.dead \(topic\): .*ACCESS_REFUSED - .*'mail\.dead' in vhost '$AMQP_VHOST' refused for user '$AMQP_PUBLISH_USER' \(403\)$" \
	'a user without the right to configure'

# Two consumers of a serial queue: one gets all.
probe open confirm 'publish mail.in orders c' > /dev/null
probe open 'consume mail.in.orders 1' next "system 'touch $TMP/first; until [ -e $TMP/second ]; do sleep 0.1; done'" \
	> "$TMP/first.out" &
wait_for 30 test -e "$TMP/first"
is "$(probe open 'consume mail.in.orders 1' 'next 1000')" "ok
ok
timeout" 'of a serial route only one worker gets messages'
touch "$TMP/second"
wait
like "$(cat "$TMP/first.out")" '^delivery queue=mail.in.orders ' '... the first one'
