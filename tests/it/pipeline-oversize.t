#!/bin/sh
# Postfix refuses what is too large for mailin at once, announced or not; what just fits passes.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 5
use_pipeline
limit=$(postconf -c "$POSTFIX_CONFIG" -h message_size_limit)
# mail_of_size BYTES: lines of 64 bytes, as they come by SMTP.
mail_of_size() {
	printf 'From: a@example.net\r\nSubject: %s\r\n\r\n' "$TAG" > "$TMP/mail"
	lines=$((($1 - $(wc -c < "$TMP/mail")) / 64))
	yes 12345678901234567890123456789012345678901234567890123456789012 2> /dev/null |
		head -n "$lines" | sed 's/$/\r/' >> "$TMP/mail"
}
mail_of_size $((limit + 65536))
like "$(send --announce-size --file "$TMP/mail" support@example.test)" '^552 5\.3\.4 ' 'refused as announced'
like "$(send --file "$TMP/mail" support@example.test)" '^552 5\.3\.4 ' 'refused after the data'
mail_of_size $((limit - 1024))
id=$(send --file "$TMP/mail" support@example.test)
like "$id" '^[A-Za-z0-9]+$' 'a little less is accepted'
ok 'and stored' rows_become 1 "queue_id = '$id'"
is "$(sql "SELECT auto FROM messages WHERE queue_id = '$id'")" no 'as an ordinary mail'
