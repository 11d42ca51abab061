#!/bin/sh
# ReplyTo: {"Thread": ID}: an answer goes out with a reply address of its own, and is recorded in thread and ticket.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
own_sandbox --only broker,database
mailout_setup
: > "$SINK/bodies"
thread=019aab00-0000-7000-8000-000000000001
other=019aab00-0000-7000-8000-000000000002
bin() { echo "UNHEX('$(echo "$1" | tr -d -)')"; }
sql "INSERT INTO threads (id, number, route, subject, created_at, last_at) VALUES
		($(bin $thread), 17, 'support', 'Hello', '2026-01-01', '2026-01-01'),
		($(bin $other), 18, 'photos', 'Summer', '2026-01-01', '2026-01-01');
	INSERT INTO thread_participants (thread_id, email) VALUES ($(bin $thread), 'ann@example.net');
	INSERT INTO tickets (id, number, route, subject, requester, first_at, last_at) VALUES
		($(bin $thread), 17, 'support', 'Hello', 'ann@example.net', '2026-01-01', '2026-01-01');
	INSERT INTO messages (id, thread_id, route, recipient, received_at, in_reply_to, reference_ids, to_json, cc_json, bcc_json,
		headers, defects, message_id_header, from_email) VALUES
		($(bin 019aab00-0000-8000-8000-000000000001), $(bin $thread), 'support', 'support@example.test', '2026-01-01', '[]', '[]',
		 '[]', '[]', '[]', '[]', '[]', 'question-1@example.net', 'ann@example.net')"
ticket() { sql "SELECT status, last_at > '2026-02-01' FROM tickets WHERE number = 17" | tr '\t' ' '; }
participants() { sql "SELECT GROUP_CONCAT(email ORDER BY email) FROM thread_participants WHERE thread_id = $(bin $thread)"; }
# field NAME SUBJECT: of the mail that came
field() {
	python3 - "$SINK/bodies" "$1" "$2" <<-'END'
		import email, email.policy, sys
		for text in open(sys.argv[1], "rb").read().split(b"Date: ")[1:]:
		    mail = email.message_from_bytes(b"Date: " + text, policy=email.policy.SMTP)
		    if mail["Subject"] == sys.argv[3]:
		        print(mail[sys.argv[2]] or "none")
	END
}

sed -i '/^\[route photos\]/,/^$/s/^recipients = /&fotos@büro.example /' "$TMP/conf"
mailout_start
requests 1 "\"From\": \"Desk <support@example.test>\", \"ReplyTo\": {\"Thread\": \"$thread\"},
	\"Cc\": \"Bob@Example.NET\", \"Bcc\": \"carl@example.net\"" | tr -d '\n' | publish
recorded 'sent 1'
reply=$(field Reply-To "$TAG 1")
like "$reply" '^support\+[a-z2-7]{26}@example\.test$' 'a reply address of its own'
token=$(echo "$reply" | sed 's/.*+\(.*\)@.*/\1/')
is "$(sql "SELECT COUNT(*) FROM thread_tokens WHERE token_hash = UNHEX(SHA2('$token', 256)) AND thread_id = $(bin $thread)")" 1 \
	'by its token the thread is found'
is "$(sql "SELECT address FROM thread_tokens WHERE token_hash = UNHEX(SHA2('$token', 256))")" support@example.test \
	'with the address that it belongs to'
is "$(field In-Reply-To "$TAG 1") $(field References "$TAG 1")" '<question-1@example.net> <question-1@example.net>' \
	'it answers the last message of the thread'
is "$(grep -c "$token" "$TMP/log")" 0 'the token is not in the log'
"$SANDBOX" database "$SANDBOX_DIR" dump "$MYSQL_DATABASE" > "$TMP/dump" 2> /dev/null
is "$(grep -c "$token" "$TMP/dump")" 0 'nor in the database'
is "$(ticket)" 'pending 1' 'the ticket waits for the requester'
is "$(participants)" "ann@example.net,bob@example.net,to1@example.test" \
	'To and Cc take part now, Bcc does not'
is "$(sql "SELECT direction, from_email, from_name, text, full_text IS NULL FROM ticket_messages" | tr '\t' '|')" \
	'out|support@example.test|Desk|Hello|1' 'the answer stands in the ticket'
is "$(sql "SELECT HEX(thread_id) FROM outbound")" "$(echo $thread | tr -d - | tr a-f A-F)" 'and is linked with the thread'
is "$(sql "SELECT own FROM thread_ids WHERE id_hash = UNHEX(SHA2(CONCAT('support', CHAR(0),
	(SELECT message_id_header FROM outbound)), 256))")" 1 'by its Message-ID the thread is found, too'

# ---- from a template ----
mkdir -p "$TMP/templates/answer"
printf '{{subject}}' > "$TMP/templates/answer/subject.mustache"
printf 'Dear Ann,\n{{message}}\nThe desk\n' > "$TMP/templates/answer/text.mustache"
echo '{"Description": "An answer.", "Parameters": {"subject": {"Type": "string"}, "message": {"Type": "string"}},
	"Sample": {"subject": "s", "message": "m"}}' > "$TMP/templates/answer/template.json"
template() {
	printf '{"MessageID": "00000000-0000-4000-8000-%012d", "To": "ann@example.net", "ReplyTo": {"Thread": "%s"}, "TemplateAlias": "answer",
		"TemplateModel": {"subject": "%s %d", "message": "It works."}%s}' "$1" "$thread" "$TAG" "$1" "$2" | tr -d '\n\t'
	echo
}
template 2 '' | publish
recorded 'sent 2'
is "$(sql "SELECT CONCAT(text, '|', full_text) FROM ticket_messages WHERE HEX(id) LIKE '%2'" | tr '\n' ' ')" \
	'It works.|Dear Ann, It works. The desk  ' 'of a template: what somebody wrote, and all of it'
like "$(field Reply-To "$TAG 2")" '^support\+[a-z2-7]{26}@example\.test$' 'From routes elsewhere: an address of the route'
isnt() { if [ "$1" != "$2" ]; then ok "$3" true; else ok "$3" false; fi; }
isnt "$(field Reply-To "$TAG 2")" "$reply" 'each has a token of its own'

# ---- an automatic one ----
template 3 ', "Headers": [{"Name": "Auto-Submitted", "Value": "auto-replied"}]' | publish
sql "UPDATE tickets SET status = 'open'"
recorded 'sent 3'
is "$(ticket | cut -d ' ' -f 1) $(sql "SELECT COUNT(*) FROM ticket_messages WHERE HEX(id) LIKE '%3'")" 'open 0' \
	'what a machine says is no answer'
like "$(field Reply-To "$TAG 3")" '^support\+[a-z2-7]{26}@' 'but can be answered'
is "$(sql "SELECT COUNT(*) FROM thread_messages WHERE thread_id = $(bin $thread) AND direction = 'out'")" 3 'and is in the thread'

# ---- refused, and waiting ----
first=4 requests 1 '"ReplyTo": {"Thread": "019aab00-0000-7000-8000-00000000dead"}' | publish
recorded 'failed 1,sent 3'
hold mail.dead 1
like "$(probe take mail.dead | grep -a error=)" 'error=ReplyTo.Thread: there is no thread 019aab00-0000-7000-8000-00000000dead' \
	'a thread that is not there'
is "$(sql "SELECT COUNT(*) FROM thread_tokens")" 3 'leaves no token behind'
first=5 requests 1 '"ReplyTo": {"Thread": "17"}' | publish
await_log 'event=.*ReplyTo.Thread: no UUID'
"$SANDBOX" kill "$SANDBOX_DIR" database
first=6 requests 1 "\"ReplyTo\": {\"Thread\": \"$thread\"}" | publish
await_log '00000000-0000-4000-8000-000000000006 event=deferred .*the database is away'
"$SANDBOX" up "$SANDBOX_DIR" database
await_log '00000000-0000-4000-8000-000000000006 event=sent' 60
is "$(sql "SELECT COUNT(*) FROM ticket_messages WHERE HEX(id) LIKE '%6'")" 1 'the database was away: it waits, and is in the ticket'

# What came while an answer waited to be sent, nobody has read.
sql "UPDATE tickets SET status = 'open';
	INSERT INTO ticket_messages (id, ticket_id, direction, at, auto, text)
	VALUES ($(bin 019aab00-0000-7000-8000-000000000011), $(bin $thread), 'in', NOW(3) + INTERVAL 1 HOUR, 'no', 'Wait!')"
answered() { sql "SELECT COUNT(*) FROM ticket_messages WHERE HEX(outbound_id) LIKE '%$1'" | grep -q 1; }
first=11 requests 1 "\"ReplyTo\": {\"Thread\": \"$thread\"}" | publish
ok 'it is sent and in the ticket' wait_for 30 answered 11
is "$(ticket | cut -d ' ' -f 1)" open \
	'who wrote again meanwhile still waits for an answer'
sql "UPDATE ticket_messages SET auto = 'reply' WHERE text = 'Wait!'"
first=12 requests 1 "\"ReplyTo\": {\"Thread\": \"$thread\"}" | publish
ok 'the next one, too' wait_for 30 answered 12
is "$(ticket | cut -d ' ' -f 1)" pending 'an out-of-office reply does not'

# A closed ticket stays closed when a last word is said.
sql "UPDATE tickets SET status = 'closed'"
first=7 requests 1 "\"ReplyTo\": {\"Thread\": \"$thread\"}" | publish
await_log '00000000-0000-4000-8000-000000000007 event=sent'
is "$(ticket | cut -d ' ' -f 1)" closed 'a closed ticket stays closed'
# Of a domain in letters the mail has the A-labels.
first=8 requests 1 "\"ReplyTo\": {\"Thread\": \"$other\"}" | publish
await_log '00000000-0000-4000-8000-000000000008 event=sent'
like "$(field Reply-To "$TAG 8")" '^fotos\+[a-z2-7]{26}@xn--bro-hoa\.example$' 'an international domain'
mailout_stop
is "$mailout_status" 0 'exit status'

# A text that the database does not take holds up nothing.
sql 'SET GLOBAL max_allowed_packet = 1048576'
mailout_start
python3 -c 'import json, sys
print(json.dumps({"MessageID": "00000000-0000-4000-8000-000000000009", "To": "ann@example.net", "Subject": "large",
	"TextBody": "0123456789abcdef\n" * 70000, "HtmlBody": "<p>small", "ReplyTo": {"Thread": sys.argv[1]}}))' "$thread" | publish
first=10 requests 1 | publish
is_sent() { [ "$(status_of 9) $(status_of 10)" = 'sent sent' ]; }
ok 'a text of more than max_allowed_packet: it and what comes after it are recorded' wait_for 30 is_sent
is "$(sql "SELECT text IS NULL, html FROM ticket_messages WHERE HEX(id) LIKE '%9'")" '1	<p>small' 'the ticket lacks the text alone'
mailout_stop
done_testing
