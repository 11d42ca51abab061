#!/bin/sh
# An answer in a thread refers to what the mail that it answers refers to, and to it (RFC 5322, 3.6.4).
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
: > "$SINK/bodies"
bin() { echo "UNHEX('$(echo "$1" | tr -d -)')"; }
# conversation N: a thread; mail N NUMBER TIME IN-REPLY-TO REFERENCES: one that came in.
thread() { printf '019aab00-0000-7000-8000-%012d' "$1"; }
conversation() {
	sql "INSERT INTO threads (id, route, subject, created_at, last_at) VALUES
		($(bin "$(thread "$1")"), 'support', 'Hello', '2026-01-01', '2026-01-01')"
}
mail() {
	sql "INSERT INTO messages (id, thread_id, route, recipient, received_at, stored_at, in_reply_to, reference_ids, to_json, cc_json,
			bcc_json, headers, defects, message_id_header, from_email) VALUES
		(UNHEX(LPAD('$1$2', 32, '0')), $(bin "$(thread "$1")"), 'support', 'support@example.test', '$3', '$3', $4, $5,
		'[]', '[]', '[]', '[]', '[]', 'q$2@example.net', 'ann@example.net')"
}
# answer NUMBER THREAD [MEMBERS]
answer() {
	first=$1 requests 1 "\"From\": \"support@example.test\", \"ReplyTo\": {\"Thread\": \"$(thread "$2")\"}${3-}" | publish
}
# fields NUMBER: In-Reply-To and References of that answer, as lines.
fields() {
	tr -d '\r' < "$SINK/bodies" |
		awk -v subject="Subject: $TAG $1" '/^Date: /{ head = 1; text = ""; found = 0 } head && $0 == subject { found = 1 }
			$0 == "" { if (head && found) printf "%s", text; head = 0 }
			/^[^ \t]/ { kept = tolower($0) ~ /^(in-reply-to|references):/ } head && kept { text = text $0 "|" }'
}

conversation 1
mail 1 1 '2026-01-01' "'[\"other@example.net\"]'" "JSON_ARRAY('first@example.net', 'no id', CONCAT('a@b', CHAR(13, 10), 'Bcc: x@y'),
	CONCAT(REPEAT('x', 60), '@example.net'), 'last@example.net')"
conversation 2
mail 2 2 '2026-01-01' "'[\"asked@example.net\"]'" "'[]'"
conversation 3
conversation 4
mail 4 4 '2026-01-01' "'[\"asked@example.net\"]'" "JSON_ARRAY(CONCAT(REPEAT('x', 262144), '@example.net'))"
# A later mail came before an answer that is tried again; and one after it.
conversation 5
mail 5 5 '2026-01-01' "'[]'" "'[]'"
mail 5 6 '2026-01-02' "'[\"q5@example.net\"]'" "'[\"q5@example.net\"]'"
mail 5 7 '2026-01-04' "'[]'" "JSON_ARRAY('00000000-0000-4000-8000-000000000006@example.test')"
sql "INSERT INTO outbound (id, stream, metadata, status, created_at) VALUES
	($(bin 00000000-0000-4000-8000-000000000006), 'transactional', '{}', 'deferred', '2026-01-03')"
mailout_start

answer 1 1
answer 2 1 ", \"Headers\": [{\"Name\": \"in-reply-to\", \"Value\": \"<mine@x>\"}, {\"Name\": \"REFERENCES\", \"Value\": \"<ours@x> <mine@x>\"}]"
answer 3 2
answer 4 3
answer 5 4
answer 6 5
answer 7 5
recorded 'sent 7'
long=$(printf '%060d' 0 | tr 0 x)
is "$(fields 1)" "In-Reply-To: <q1@example.net>|References: <first@example.net>| <$long@example.net>| <last@example.net> <q1@example.net>|" \
	'the whole chain, folded, without what is no id'
is "$(fields 2)" 'in-reply-to: <mine@x>|REFERENCES: <ours@x> <mine@x>|' 'unless the request says its own'
is "$(fields 3)" 'In-Reply-To: <q2@example.net>|References: <asked@example.net> <q2@example.net>|' 'of a mail with In-Reply-To alone'
is "$(fields 4)" '' 'nobody has written: nothing is answered'
is "$(fields 5)" 'In-Reply-To: <q4@example.net>|References: <asked@example.net> <q4@example.net>|' 'more than mailin writes is not read'
is "$(fields 6)" 'In-Reply-To: <q6@example.net>|References: <q5@example.net> <q6@example.net>|' 'tried again it answers what it did'
is "$(fields 7)" 'In-Reply-To: <q7@example.net>|References: <00000000-0000-4000-8000-000000000006@example.test>| <q7@example.net>|' \
	'a new one answers the last mail'
mailout_stop
done_testing
