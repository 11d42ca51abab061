#!/bin/sh
# A publish is OK only when RabbitMQ has confirmed it and a queue has got it.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 10
use_sandbox --only broker,database
at=$AMQP_HOST:$AMQP_PORT

is "$(probe open 'declare-exchange x topic' 'declare-queue q' 'bind q x k' confirm 'publish x k hello' \
	'publish x k again' 'check-queue q')" \
	"ok
ok
ok
ok
ok
ok
ok
ok 2 messages 0 consumers" 'confirmed'

is "$(probe open confirm 'publish x elsewhere hello' 'publish x k hello')" \
	"ok
ok
retry 4.3.5 RabbitMQ at $at returned the message: NO_ROUTE (312); no queue is bound to exchange \"x\" for \"elsewhere\"
ok" 'a message that no queue gets is no success, and the connection goes on'

missing="RabbitMQ at $at says: NOT_FOUND - no exchange 'missing' in vhost '$AMQP_VHOST' (404)"
is "$(probe open confirm 'publish missing k hello' 'publish x k hello' open confirm 'publish x k hello')" \
	"ok
ok
retry 4.3.5 $missing
retry 4.3.5 $missing
ok
ok
ok" 'a missing exchange closes the channel: nothing but a new connection helps'

denied=$(PROBE_USER=$AMQP_PUBLISH_USER PROBE_PASSWORD=$AMQP_PUBLISH_PASSWORD \
	probe open confirm 'publish x k hello')
like "$denied" "^retry 4\.3\.5 RabbitMQ at $at says: ACCESS_REFUSED - .*access to exchange 'x' in vhost '$AMQP_VHOST' refused for user '$AMQP_PUBLISH_USER' \(403\)$" \
	'no right to write'

is "$(probe open 'publish x k hello')" \
	"ok
retry 4.3.5 confirms were not asked for before publishing" 'not without confirms'

long=$(printf '%0256d' 0)
is "$(probe open confirm "publish x $long hello" 'publish x k hello')" \
	"ok
ok
retry 4.3.5 the routing key is longer than 255 bytes: $(printf '%040d' 0)...
ok" 'a routing key of 256 bytes is refused before it is sent'
like "$(probe open confirm "publish x $(printf '%0255d' 0) hello")" '^retry 4.3.5 .* NO_ROUTE ' \
	'one of 255 bytes is sent'

# 131064 bytes fill a frame to the last byte.
is "$(probe open confirm 'publish-bytes x k 131063' 'publish-bytes x k 131064' 'publish-bytes x k 131065')" \
	"ok
ok
ok
ok
ok" 'around the size of a frame'

big=$(probe open confirm 'publish-bytes x k 14000000' 'memory 40000')
is "$big" "ok
ok
ok
ok" '14 MB are sent from where they lie: 14 MB mapped, and at most 26 MB besides'
is "$(probe open 'check-queue q')" "ok
ok 9 messages 0 consumers" 'all of them are there'
