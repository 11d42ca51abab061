#!/bin/sh
# TLS to the database: chain and name of the server are verified, and there is no way around it.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
own_sandbox --only database
AMQP_HOST=localhost AMQP_PORT=1 AMQP_VHOST=/ AMQP_PUBLISH_USER=p AMQP_PUBLISH_PASSWORD=p
AMQP_CONSUME_USER=c AMQP_CONSUME_PASSWORD=c AMQP_SETUP_USER=s AMQP_SETUP_PASSWORD=s
AMQP_MAILOUT_USER=m AMQP_MAILOUT_PASSWORD=m AMQP_APPLICATION_USER=a AMQP_APPLICATION_PASSWORD=a
mailctl_config

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mailpipe-test -keyout "$TMP/ca.key" -out "$TMP/ca.pem" 2> /dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout "$TMP/other.key" -out "$TMP/other.pem" 2> /dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$TMP/server.key" -out "$TMP/server.csr" 2> /dev/null
echo 'subjectAltName=DNS:localhost' > "$TMP/server.ext"
openssl x509 -req -in "$TMP/server.csr" -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" -CAcreateserial -days 2 \
	-extfile "$TMP/server.ext" -out "$TMP/server.pem" 2> /dev/null
chmod 644 "$TMP/server.key"

# try HOST CA: what setup says by TLS.
try() {
	sed -e '/^socket/d' -e "s|^\[mysql\]|[mysql]\nhosts = $1:$MYSQL_PORT\ntls = yes\ntls_ca_file = $2|" "$CONF" > "$TMP/tls.conf"
	"$BUILD/bin/mailctl" -c "$TMP/tls.conf" setup --only=mysql 2>&1
}

like "$(try localhost "$TMP/ca.pem")" "^mailctl: mysql: localhost:$MYSQL_PORT: .*(TLS|SSL)" 'a server without TLS is refused'

"$SANDBOX" halt "$SANDBOX_DIR" database
setsid mariadbd --no-defaults --user=mysql --datadir="$SANDBOX_DIR/database/data" \
	--tmpdir="$SANDBOX_DIR/database/tmp" --socket="$MYSQL_SOCKET" \
	--port="$MYSQL_PORT" --bind-address=127.0.0.1 --max-allowed-packet=128M --ssl-cert="$TMP/server.pem" \
	--ssl-key="$TMP/server.key" > "$TMP/server.log" 2>&1 &
server=$!
at_exit "kill $server; wait $server"
wait_for 30 sql 'SELECT 1' || die "$(tail "$TMP/server.log")"

out=$(try localhost "$TMP/ca.pem")
is $? 0 'by name, with the right authority'
like "$out" '^mysql: migration 0001 inbound: applied$' 'setup works'
like "$(try 127.0.0.1 "$TMP/ca.pem")" "^mailctl: mysql: 127.0.0.1:$MYSQL_PORT: database error 2026: .*" 'an address it is not made for'
like "$(try localhost "$TMP/other.pem")" "^mailctl: mysql: localhost:$MYSQL_PORT: database error 2026: " 'another authority'
like "$(try localhost '')" "^mailctl: mysql: localhost:$MYSQL_PORT: database error 2026: " "the system's authorities do not know it"
like "$(try localhost "$TMP/missing.pem")" "^mailctl: mysql: localhost:$MYSQL_PORT: database error 2026: " 'a CA file that is not there'
done_testing
