# shellcheck shell=sh disable=SC2154
# For tests of examples/send.*: what a client library publishes is sent; after mailout.sh.

# client_sends COMMAND ...: 7 tests.
client_sends() {
	use_sandbox --only broker,database
	mailout_setup
	: > "$SINK/bodies"
	url="amqp://$AMQP_APPLICATION_USER:$AMQP_APPLICATION_PASSWORD@$AMQP_HOST:$AMQP_PORT/$AMQP_VHOST"
	id=$("$@" "$url" 'Maria Lindqvist <maria@example.net>' 2> "$TMP/error")
	is "$?" 0 'it is confirmed'
	like "$id" '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' 'with the id that the client made'
	mailout_start
	recorded 'sent 1'
	mailout_stop
	is "$(sql 'SELECT HEX(id), stream, tag, metadata, subject FROM outbound' | tr '\t' '|')" \
		"$(echo "$id" | tr -d - | tr a-f A-F)|transactional|order|{\"order\":\"4711\"}|Your order 4711 – thank you" 'it is in the record'
	is "$(cut -f 2,3 "$SINK/mails")" "$(printf 'shop@example.test\tmaria@example.net')" 'sender and recipient'
	is "$(python3 - "$SINK/bodies" <<-'END'
		import email, email.policy, sys
		mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
		print(mail["From"], mail["To"], mail["Subject"], sep="|")
		for kind in "plain", "html":
		    print(mail.get_body([kind]).get_content().strip())
	END
	)" 'Shop <shop@example.test>|Maria Lindqvist <maria@example.net>|Your order 4711 – thank you
Hello,

it is on its way: 2 prints, 17.50 €.
<p>Hello,</p><p>it is on its way: <b>2 prints</b>, 17.50 €.</p>' 'what arrives is what was asked for'
	if "$@" "$url" maria@example.net no-such-stream > "$TMP/out" 2> "$TMP/error"; then
		fail 'a stream that is not there is an error'
	else
		pass 'a stream that is not there is an error'
	fi
	is "$(cat "$TMP/out")" '' 'and no success is told'
}
