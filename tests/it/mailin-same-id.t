#!/bin/sh
# Delivering the same queue file again gives the same MessageID; another one does not.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 7
use_broker
write_config <<END
[route other]
recipients = other@example.com
END
"$PROBE" declare "$CONF" || die "the topology cannot be declared"
printf 'Subject: x\n\nx\n' > "$TMP/mail"
printf 'Subject: x\n\ny\n' > "$TMP/mail2"
id() { # QUEUE-ID RECIPIENT ROUTE MAIL
	mailin --queue-id "$1" --sender '' -- "$2" < "$4"
	"$PROBE" take "mail.in.$3" | tail -n 1 > "$TMP/document"
	jq -r .MessageID "$TMP/document"
}
first=$(id "$QUEUE_ID" support@example.com support "$TMP/mail")
like "$first" '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' 'a UUID of version 8'
cp "$TMP/document" "$TMP/first"
sleep 1.1
is "$(id "$QUEUE_ID" support@example.com support "$TMP/mail")" "$first" 'the same again'
ok 'and the same document, byte for byte' cmp "$TMP/first" "$TMP/document"
other() { if [ "$1" != "$first" ]; then pass "$2"; else fail "$2"; fi; }
other "$(id 4bKxYJ5sG9z1Wk3 support@example.com support "$TMP/mail")" 'another queue id'
other "$(id "$QUEUE_ID" support+x@example.com support "$TMP/mail")" 'another tag'
other "$(id "$QUEUE_ID" other@example.com other "$TMP/mail")" 'another recipient'
other "$(id "$QUEUE_ID" support@example.com support "$TMP/mail2")" 'other bytes'
