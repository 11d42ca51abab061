#!/bin/sh
# TLS: the chain and the name or address of the server are verified, and a failure says which.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 10
own_sandbox --only broker

# certificate NAME SUBJECT-ALTERNATIVE-NAME: NAME.pem and NAME.key by the test's own authority
certificate() {
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$TMP/$1.key" -out "$TMP/$1.csr" 2> /dev/null
	echo "subjectAltName=$2" > "$TMP/$1.ext"
	openssl x509 -req -in "$TMP/$1.csr" -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" -CAcreateserial -days 2 \
		-extfile "$TMP/$1.ext" -out "$TMP/$1.pem" 2> /dev/null
	chmod 644 "$TMP/$1.key"
}

# listener NAME PORT: a TLS listener with that certificate
listener() {
	"$SANDBOX" broker "$SANDBOX_DIR" eval "rabbit_networking:start_ssl_listener({\"127.0.0.1\", $2},
		[{certfile, \"$TMP/$1.pem\"}, {keyfile, \"$TMP/$1.key\"}], 10)." > "$TMP/listener.out" ||
		die "$(cat "$TMP/listener.out")"
}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mailpipe-test -keyout "$TMP/ca.key" -out "$TMP/ca.pem" 2> /dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout "$TMP/other.key" -out "$TMP/other.pem" 2> /dev/null
certificate named DNS:localhost
certificate numbered IP:127.0.0.1
# Ports that the sandbox holds for servers that are not started here.
named=$SMTP_PORT numbered=$SUBMISSION_PORT
listener named "$named"
listener numbered "$numbered"
export PROBE_TLS=1 PROBE_CA="$TMP/ca.pem"
no="retry 4.4.1 no connection to RabbitMQ"

is "$(PROBE_HOSTS=localhost:$named probe open 'declare-exchange x topic' 'declare-queue q' 'bind q x k' confirm \
	'publish x k hello' 'publish-bytes x k 14000000' 'consume q 2' 'drain 2 1' 'next 100')" \
	"ok
ok
ok
ok
ok
ok
ok
ok
ok
timeout" 'by name, with a message of 14 MB there and back'
is "$(PROBE_HOSTS=127.0.0.1:$numbered probe open)" ok 'by address'
is "$(PROBE_HOSTS=127.0.0.1:$named probe open)" \
	"$no: 127.0.0.1:$named: the server's certificate is not trusted: IP address mismatch" 'an address it is not made for'
is "$(PROBE_HOSTS=localhost:$numbered probe open)" \
	"$no: localhost:$numbered: the server's certificate is not trusted: hostname mismatch" 'a name it is not made for'
is "$(PROBE_CA=$TMP/other.pem PROBE_HOSTS=localhost:$named probe open)" \
	"$no: localhost:$named: the server's certificate is not trusted: unable to get local issuer certificate" \
	'another authority'
is "$(unset PROBE_CA; PROBE_HOSTS=localhost:$named probe open)" \
	"$no: localhost:$named: the server's certificate is not trusted: unable to get local issuer certificate" \
	"the system's authorities do not know it"
is "$(PROBE_CA=$TMP/missing.pem PROBE_HOSTS=localhost:$named probe open)" \
	"$no: localhost:$named: cannot read the CA file $TMP/missing.pem: No such file or directory" 'a CA file that is not there'
like "$(PROBE_HOSTS=localhost:$AMQP_PORT probe open)" \
	"^$no: localhost:$AMQP_PORT: TLS handshake failed \(.+\); is this a TLS port\?$" 'TLS to a plain port'
like "$(unset PROBE_TLS; PROBE_HOSTS=localhost:$named probe open)" \
	"^$no: localhost:$named: login of user \"admin\" failed: .+; is this a TLS port\?$" 'plain to a TLS port'
is "$(PROBE_HOSTS=localhost:1,localhost:$named probe open)" ok 'the second host after a refused connection'
