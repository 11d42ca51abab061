#!/bin/sh
# With amqp.tls mailin becomes mailin-tls, which has OpenSSL linked in, and publishes through that.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 9
own_sandbox --only broker
write_config < /dev/null
"$PROBE" declare "$CONF" || die "the topology cannot be declared"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$TMP/key.pem" -out "$TMP/cert.pem" 2> /dev/null
chmod 644 "$TMP/key.pem"
port=$SMTP_PORT	# which the sandbox holds for a server that is not started here
"$SANDBOX" broker "$SANDBOX_DIR" eval "rabbit_networking:start_ssl_listener({\"127.0.0.1\", $port},
	[{certfile, \"$TMP/cert.pem\"}, {keyfile, \"$TMP/key.pem\"}], 10)." > "$TMP/listener" ||
	die "$(cat "$TMP/listener")"
tls() {
	write_config <<END
[amqp]
hosts = localhost:$port
tls = yes
tls_ca_file = $1
END
}

printf 'Subject: x\n\nx\n' > "$TMP/mail"
tls "$TMP/cert.pem"
deliver < "$TMP/mail"
is_result 0 '' 'published'
is "$(take | jq -r .Subject)" x 'the mail is in the queue'
tls ''
deliver < "$TMP/mail"
is "$STATUS" 75 'an authority that is not trusted'
like "$OUT" "^4\.4\.1 .*the server's certificate is not trusted" 'an authority that is not trusted: the text'
is "$(waiting)" 0 'nothing more is published'

if [ -n "$SANITIZED" ]; then
	for name in 'no mailin-tls' 'no mailin-tls: nothing on standard error' 'a dry run needs none'; do
		pass "$name # SKIP it is linked in"
	done
else
	own_parser
	deliver < "$TMP/mail"
	is_result 75 "4.3.0 $TMP/tree/sbin/mailin-tls: No such file or directory" 'no mailin-tls'
	"$MAILIN" --dry-run -c "$CONF" < "$TMP/mail" > /dev/null
	is $? 0 'a dry run needs none'
fi
