#!/bin/sh
# A ticket's way through real Postfix: a question by SMTP, its acknowledgement, an agent's answer as a request, and
# what the customer answers to the reply addresses of both: one ticket.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
own_pipeline
# The client is the server that has looked at the sender: it stands before ours (authserv_hops).
sed -i -e 's/^\[mailpipe\]/&\nauthserv_ids = mx.example.test\nauthserv_hops = 2/' -e 's/^\[route support\]/&\ntarget = support/' "$CONFIG"
"$SANDBOX" kill "$SANDBOX_DIR" ingest
"$SANDBOX" up "$SANDBOX_DIR" ingest || die 'mailin-ingest does not start'

# ask NUMBER RECIPIENT [OPTION ...]: a mail of the customer's; its queue id.
ask() {
	number=$1
	shift
	send --exact --from "$TAG@example.net" --header "From: Ann <$TAG@example.net>" --header "Message-ID: <q$number.$TAG@example.net>" \
		--header "Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=example.net" "$@"
}
# arrived SUBJECT: waits for the customer's mail with it, which is $TMP/mail then.
find_mail() {
	for file in "$MAILBOX"/*; do
		[ -r "$file" ] && grep -q "^Subject: .*$1" "$file" && tr -d '\r' < "$file" > "$TMP/mail" && return 0
	done
	return 1
}
arrived() { wait_for 30 find_mail "$1" || die "no mail \"$1\": $(tail -n 3 "$SANDBOX_DIR/log/mailout.log" "$SANDBOX_DIR/log/ingest.log")"; }
field() { sed -n -e "/^$1:/,/^[^ 	]/{s/^$1: //p;/^[ 	]/p}" "$TMP/mail" | tr -d '\n' | tr -s ' '; }
ticket() { sql 'SELECT status, (SELECT COUNT(*) FROM ticket_messages m WHERE m.ticket_id = t.id) FROM tickets t' | tr '\t\n' '  '; }
await_ticket() { wait_for 30 ticket_is "$1"; }
ticket_is() { [ "$(ticket)" = "$1" ]; }

ask 1 support@example.test --subject 'Where is my order' --header "References: <q0.$TAG@example.net>" --body 'I ordered a lamp.' > "$TMP/id"
arrived 'We have your message'
number=$(sql 'SELECT number FROM tickets')
is "$(field Subject)" "We have your message: Where is my order [#$number]" 'the acknowledgement has the number'
is "$(field To)|$(field Auto-Submitted)|$(field X-Loop)|$(field In-Reply-To)" \
	"$TAG@example.net|auto-replied|mailpipe/sandbox|<q1.$TAG@example.net>" 'it is an automatic reply'
is "$(field References)" "<q0.$TAG@example.net> <q1.$TAG@example.net>" 'and refers to what the question refers to'
like "$(field Reply-To)" '^support\+[a-z2-7]{26}@example\.test$' 'with a reply address'
is "$(field Return-Path)" '<>' 'and bounces go nowhere'
first_reply=$(field Reply-To)

# The agent's answer.
thread=$(sql "SELECT id FROM threads_readable")
printf '{"From": "Desk <support@example.test>", "To": "%s@example.net", "ReplyTo": {"Thread": "%s"}, "Subject": "Re: Where is my order",
	"TextBody": "It is on its way."}' "$TAG" "$thread" | tr -d '\n\t' > "$TMP/request"
"$BUILD/tests/it/mailout_probe" publish transactional < "$TMP/request" || die 'publish'
arrived 'Re: Where is my order'
is "$(field In-Reply-To)|$(field References)" "<q1.$TAG@example.net>|<q0.$TAG@example.net> <q1.$TAG@example.net>" \
	'the answer is a reply to the question'
second_reply=$(field Reply-To)
like "$second_reply" '^support\+[a-z2-7]{26}@example\.test$' 'and can be replied to'
ok 'the ticket waits for the customer' await_ticket 'pending 2 '

# What the customer answers, with nothing but the reply address to go by.
is "$(sql 'SELECT COUNT(*) FROM outbound')" 2 'two mails were sent'
ask 2 "$second_reply" --subject 'thanks' --body 'When will it come?' > "$TMP/id"
ok 'the reply is in the same ticket, which is open again' await_ticket 'open 3 '
sql "UPDATE tickets SET status = 'closed'"
ask 3 "$first_reply" --subject 'and' --body 'Hello?' > "$TMP/id"
ok 'so is a reply to the acknowledgement' await_ticket 'open 4 '
sql "UPDATE tickets SET status = 'closed'"
ask 4 "$second_reply" --subject 'Out of office' --header 'Auto-Submitted: auto-replied' --body 'I am away.' > "$TMP/id"
ok 'an out-of-office reply is kept, but opens nothing' await_ticket 'closed 5 '
is "$(sql 'SELECT COUNT(*) FROM outbound')" 2 'and nothing else was acknowledged'
is "$(sql "SELECT GROUP_CONCAT(direction, ':', text ORDER BY at, id SEPARATOR '|') FROM ticket_messages" | tr -d '\n')" \
	'in:I ordered a lamp.|out:It is on its way.|in:When will it come?|in:Hello?|in:I am away.' 'the conversation'
done_testing
