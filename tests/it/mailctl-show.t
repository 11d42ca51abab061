#!/bin/sh
# mailctl show shows a stored message and the record of an outgoing one, for people and for programs.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
use_pipeline
plan 14

mailctl() { "$BUILD/bin/mailctl" -c "$CONFIG" "$@" 2>&1; }

qid=$(send --from "$TAG@example.net" --file "$TREE/tests/corpus/html-logo-pdf.eml" support@example.test)
rows_become 1 "queue_id = '$qid'"
id=$(sql "SELECT id FROM messages_readable WHERE queue_id = '$qid'")
out=$(mailctl show "$id")
is $? 0 'a stored message'
like "$out" "^queue id +$qid$" 'its queue id'
like "$out" '^subject +Frage zur Rechnung' 'its subject'
like "$out" '^Rechnung 4711.pdf +125 +application/pdf ' 'its attachments'
like "$out" '^die Rechnung über 10' 'its text'
unlike "$out" '^Received: ' 'no header fields'
like "$(mailctl show --headers "$id")" '^Received: from ' 'unless asked for'
is "$(mailctl show --json "$id" | jq -r '[.MessageID, .MessageStream, .Mailpipe.Envelope.QueueID, .Attachments[1].Name] | join(" ")')" \
	"$id support $qid Rechnung 4711.pdf" 'as a document'

sql "UPDATE messages SET subject = CONCAT(CHAR(27), '[31mred'), text_body = CONCAT('a', CHAR(7), 'b\nc') WHERE queue_id = '$qid'"
out=$(mailctl show "$id")
is "$(printf '%s' "$out" | tr -d '\n\t' | LC_ALL=C grep -c '[[:cntrl:]]')" 0 'no control character comes through'

out=$(echo Hello | mailctl send --to="$TAG@example.net" --to=otto@example.net --subject="$TAG" --tag=t1 --text=-)
sent() { [ "$(sql "SELECT status FROM outbound WHERE id = UNHEX(REPLACE('$out', '-', ''))")" = sent ]; }
wait_for 30 sent || diag 'not sent'
text=$(mailctl show "$out")
like "$text" '^status +sent$' 'the record of an outgoing mail'
like "$text" '^otto@example.net +sent +1 +250 +2.0.0 +Ok: queued as ' 'with the reply for each recipient'
is "$(mailctl show --json "$out" | jq -r '[.Status, .Tag, (.Recipients | length), .Recipients[0].Code] | map(tostring) | join(" ")')" \
	'sent t1 2 250' 'as JSON'
mailctl show 00000000-0000-4000-8000-000000000000 > "$TMP/out"
is "$? $(cat "$TMP/out")" '1 mailctl: show: nothing with this id is stored; mailctl trace may know it' 'an id that is not stored'
mailctl show "$qid" > "$TMP/out"
is $? 64 'a queue id is no id'
