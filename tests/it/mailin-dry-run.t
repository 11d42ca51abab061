#!/bin/sh
# --dry-run prints the document and needs neither broker nor config.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
printf 'Subject: hello\nTo: x@example.com\nDelivered-To: y@example.com\n\nbody\n' > "$TMP/mail"
dry() { OUT=$("$MAILIN" --dry-run "$@" 2> "$TMP/errors" < "$TMP/mail"); STATUS=$?; }

dry
is "$STATUS: $(cat "$TMP/errors")" '0: ' 'without anything'
is "$(printf '%s' "$OUT" | jq -c '[.Subject, .MessageStream, .OriginalRecipient, .Mailpipe.Envelope.Recipient]')" \
	'["hello","inbound","",""]' 'the header does not tell the recipient'
is "$(printf '%s\n' "$OUT" | wc -l)" 1 'one line'
dry --pretty
is "$(printf '%s\n' "$OUT" | sed -n '1,2p' | cut -d: -f1)" "$(printf '{\n  "MessageID"')" '--pretty'
dry --recipient support+t@example.com --sender a@b.example --queue-id "$QUEUE_ID" --route gallery
is "$(printf '%s' "$OUT" | jq -c '[.MessageStream, .OriginalRecipient, .MailboxHash, .Mailpipe.Envelope.Sender, .Mailpipe.Envelope.QueueID]')" \
	'["gallery","support+t@example.com","t","a@b.example","4bKxYJ5sG9z1Wk2"]' 'what is said on the command line'
AMQP_PORT=1
write_config < /dev/null
dry -c "$CONF" --recipient support@example.com
is "$(printf '%s' "$OUT" | jq -r .MessageStream)" support 'with a config it routes'
dry -c "$CONF" --recipient nobody@example.com
is "$STATUS: $OUT: $(cat "$TMP/errors")" '69: : 5.1.1 <nobody@example.com>: no such address here' \
	'no route; standard output is for documents'
dry -c "$TMP/none"
is "$STATUS: $OUT: $(cat "$TMP/errors")" "75: : 4.3.5 $TMP/none: No such file or directory" 'no config'
dry --no-sandbox
is "$STATUS: $(cat "$TMP/errors")" '0: mailin: warning: the mail is parsed without a sandbox' '--no-sandbox warns'
: > "$TMP/mail"
dry
is "$STATUS" 0 'an empty mail'
is "$(printf '%s' "$OUT" | jq -c '[.Subject, .TextBody]')" '["",""]' 'an empty mail is a document'
"$MAILIN" --dry-run < "$TMP/mail" > /dev/full 2> "$TMP/errors"
is "$?: $(cat "$TMP/errors")" '75: 4.3.0 standard output: No space left on device' 'nowhere to write to'
done_testing
