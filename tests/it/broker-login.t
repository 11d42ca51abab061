#!/bin/sh
# What keeps us out of RabbitMQ is told in words, with the user and without the password.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 9
use_sandbox --only broker,database
at=$AMQP_HOST:$AMQP_PORT
no="retry 4.3.5 no connection to RabbitMQ"

is "$(probe open version)" "ok
RabbitMQ $(dpkg-query -W -f '${Version}' rabbitmq-server | sed 's/-.*//')" 'the right password'
is "$(PROBE_PASSWORD=guesswork probe open)" \
	"$no: $at: login of user \"admin\" to vhost \"$AMQP_VHOST\" refused: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile." \
	'a wrong password'
is "$(PROBE_USER=nobody probe open)" \
	"$no: $at: login of user \"nobody\" to vhost \"$AMQP_VHOST\" refused: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile." \
	'an unknown user'
is "$(PROBE_VHOST=nowhere probe open)" \
	"$no: $at: login of user \"admin\" to vhost \"nowhere\" refused: NOT_ALLOWED - vhost nowhere not found" \
	'an unknown virtual host'
is "$(PROBE_HOSTS=127.0.0.1:1 probe open)" \
	"retry 4.4.1 no connection to RabbitMQ: 127.0.0.1:1: cannot connect: Connection refused" \
	'nobody listens'
# (Without a network there is nobody to ask.)
unknown='cannot resolve the name: (Name or service not known|Temporary failure in name resolution)$'
like "$(PROBE_HOSTS=nowhere.invalid probe open)" \
	"^retry 4\.4\.1 no connection to RabbitMQ: nowhere\.invalid:5672: $unknown" \
	'no such host; the default port'
like "$(PROBE_TLS=1 PROBE_HOSTS=nowhere.invalid probe open)" \
	"^retry 4\.4\.1 no connection to RabbitMQ: nowhere\.invalid:5671: $unknown" \
	'... and the one for TLS'
like "$(PROBE_HOSTS="[::1]:1,$at:x,127.0.0.1:99999" probe open)" \
	"^retry 4\.4\.1 no connection to RabbitMQ: \[::1\]:1: cannot connect: [A-Z][a-z ]+; $at:x: not host, host:port or \[address\]:port; 127\.0\.0\.1:99999: not host, host:port or \[address\]:port$" \
	'each host of a list with its own failure'

# Something that is no RabbitMQ: Erlang's port mapper hangs up.
like "$(PROBE_HOSTS=127.0.0.1:${EPMD_PORT} probe open)" \
	"^retry 4\.4\.1 no connection to RabbitMQ: 127\.0\.0\.1:$EPMD_PORT: login of user \"admin\" failed: .*; is this a TLS port\?$" \
	'another kind of server'
