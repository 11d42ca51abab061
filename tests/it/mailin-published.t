#!/bin/sh
# A mail is published with its envelope, and mailin says nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 13
use_broker

printf 'From: ann@example.org\nDate: Sun, 22 Nov 2026 12:00:00 +0000\nSubject: hello\n\nA question.\n' > "$TMP/mail"
mailin --queue-id "$QUEUE_ID" --client 192.0.2.1 --client-name mx.example.org --helo helo.example.org \
	--sasl-username ann --sender ann@example.org -- support+tag@example.com < "$TMP/mail"
is_result 0 '' 'published'
is "$(waiting)" 1 'one message is in the queue'

now=$(date +%s)
"$PROBE" take mail.in.support > "$TMP/message"
head -n 1 "$TMP/message" > "$TMP/properties"
tail -n +2 "$TMP/message" > "$TMP/document"
like "$(cat "$TMP/properties")" \
	"^exchange=mail.in key=support content_type=application/json message_id=[0-9a-f-]{36} type=mailpipe.inbound.v1 app_id=mailpipe/mailpipe timestamp=[0-9]+ queue_id=$QUEUE_ID first_seen=[0-9]+ attempt=1\$" \
	'the properties and headers of the message'
first_seen=$(sed 's/.*first_seen=\([0-9]*\).*/\1/' "$TMP/properties")
ok 'first-seen is now' test "$((now - first_seen))" -ge 0 -a "$((now - first_seen))" -le 20
id=$(sed 's/.*message_id=\([^ ]*\).*/\1/' "$TMP/properties")
is "$(jq -r .MessageID "$TMP/document")" "$id" 'message_id is the MessageID'
is "$(jq -c '[.MessageStream, .OriginalRecipient, .MailboxHash]' "$TMP/document")" \
	'["support","support+tag@example.com","tag"]' 'route, recipient and tag'
is "$(jq -c .Mailpipe.Envelope "$TMP/document")" \
	'{"Sender":"ann@example.org","Recipient":"support+tag@example.com","QueueID":"4bKxYJ5sG9z1Wk2","ClientAddress":"192.0.2.1","ClientName":"mx.example.org","Helo":"helo.example.org","SaslUsername":"ann"}' \
	'the envelope'
is "$(jq -c '[.Mailpipe.Version, .Mailpipe.Defects]' "$TMP/document")" '[1,[]]' 'version and no defects'
is "$(jq -r .Subject "$TMP/document")" hello 'the subject'

mailin --queue-id "$QUEUE_ID" --sender '' -- support@example.com < "$TMP/mail"
is_result 0 '' 'the null sender'
is "$(take | jq -c '[.Mailpipe.Envelope.Sender, .Mailpipe.Auto]')" '["","bounce"]' \
	'the null sender is an empty text'
