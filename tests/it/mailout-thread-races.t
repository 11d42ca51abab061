#!/bin/sh
# An answer in a thread while others write to the thread, purge it or end a process: it is in its ticket once, whoever has it
# can answer, and no ticket waits for a customer who has written since.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
own_sandbox --only broker,database
mailout_setup
mailout_set smtp timeout 60s
: > "$SINK/bodies"
bin() { echo "UNHEX('$(echo "$1" | tr -d -)')"; }
thread() { printf '019aab00-0000-7000-8000-%012d' "$1"; }
request() { printf '00000000-0000-4000-8000-%012d' "$1"; }
# conversation N: an open ticket with a question.
conversation() {
	sql "INSERT INTO threads (id, number, route, subject, created_at, last_at) VALUES
			($(bin "$(thread "$1")"), $1, 'support', 'Hello', '2026-01-01', '2026-01-01');
		INSERT INTO tickets (id, number, route, subject, requester, first_at, last_at) VALUES
			($(bin "$(thread "$1")"), $1, 'support', 'Hello', 'ann@example.net', '2026-01-01', '2026-01-01')"
	mail "$1" 1 '2026-01-01' no
}
# mail N M TIME AUTO [TIME]: the Mth mail of that conversation came in then, and was stored then.
mail() {
	sql "INSERT INTO messages (id, thread_id, route, recipient, received_at, stored_at, in_reply_to, reference_ids, to_json, cc_json,
			bcc_json, headers, defects, message_id_header, from_email, auto) VALUES
			(UNHEX(LPAD('$1$2', 32, '0')), $(bin "$(thread "$1")"), 'support', 'support@example.test', '$3', '${5-$3}', '[]', '[]',
			'[]', '[]', '[]', '[]', '[]', 'q$1$2@example.net', 'ann@example.net', '$4');
		INSERT INTO ticket_messages (id, ticket_id, direction, message_id, at, auto) VALUES
			(UNHEX(LPAD('$1$2', 32, '0')), $(bin "$(thread "$1")"), 'in', UNHEX(LPAD('$1$2', 32, '0')), '$3', '$4')"
}
# answer NUMBER THREAD [MEMBERS]
answer() {
	first=$1 requests 1 "\"From\": \"support@example.test\", \"ReplyTo\": {\"Thread\": \"$(thread "$2")\"}${3-}" | publish
}
# deferred NUMBER TIME: that answer was tried first at that time.
deferred() {
	sql "INSERT INTO outbound (id, stream, metadata, status, created_at) VALUES
		($(bin "$(request "$1")"), 'transactional', '{}', 'deferred', '$2')"
}
ticket() { sql "SELECT status FROM tickets WHERE number = $1"; }
answers() { sql "SELECT COUNT(*) FROM ticket_messages WHERE direction = 'out' AND ticket_id = $(bin "$(thread "$1")")"; }
# The tokens that went out with an answer, and how many of these lead somewhere.
tokens() {
	tr -d '\r' < "$SINK/bodies" | awk -v subject="Subject: $TAG $1" '/^Date: /{ head = 1 } /^Reply-To: / { token = $2 }
		head && $0 == subject { found = 1 } $0 == "" { if (head && found) print token; head = found = 0 }' | sed 's/.*+\(.*\)@.*/\1/'
}
known() {
	tokens "$1" | while read -r token; do
		sql "SELECT COUNT(*) FROM thread_tokens WHERE token_hash = UNHEX(SHA2('$token', 256)) AND thread_id = $(bin "$(thread "$2")")"
	done | sort | uniq -c | tr -s ' '
}
came_to() { [ "$(status_of "$1")" = "$2" ]; }

# Who waits for our session.
waits() { [ "$(sql "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE 'UPDATE threads%'")" -ge 1 ]; }
held_thread() { session_begin "BEGIN; SELECT id FROM threads WHERE id = $(bin "$(thread "$1")") FOR UPDATE"; }

# ---- customers who write meanwhile ----
for n in 1 2 3 4 5 6 7; do
	conversation $n
done
deferred 1 '2026-01-03'
mail 1 2 '2026-01-02' no '2026-01-04'
deferred 2 '2026-01-03'
mail 2 2 '2026-01-04' replied
mailout_start
answer 1 1
answer 2 2
recorded 'sent 2'
is "$(answers 1) $(ticket 1)" '1 open' 'what came since is still to be answered'
is "$(answers 2) $(ticket 2)" '1 pending' 'but not what a machine wrote'

# ---- one who has it, and one who waits ----
answer 3 3 ', "Cc": "tempfail@example.test"'
ok 'one of two has got it' wait_for 30 came_to 3 deferred
is "$(answers 3) $(ticket 3)" '1 pending' 'the answer is in the ticket'
is "$(sql "SELECT own FROM thread_ids WHERE thread_id = $(bin "$(thread 3)")")" 1 'and found by its Message-ID'
tried_again() { [ "$(sql "SELECT attempts >= 2 FROM outbound WHERE id = $(bin "$(request 3)")")" = 1 ]; }
ok 'it is tried again' wait_for 30 tried_again
is "$(answers 3)" 1 'it is there once'

# ---- the same id for another thread ----
answer 1 4
await_log "$(request 1) event=duplicate"
is "$(sql "SELECT thread_id = $(bin "$(thread 1)") FROM outbound WHERE id = $(bin "$(request 1)")") $(answers 4) \
$(sql "SELECT COUNT(*) FROM thread_tokens WHERE thread_id = $(bin "$(thread 4)")")" '1 0 0' 'a repeated id changes nothing'

# ---- the thread is purged before the answer is claimed ----
held_thread 5
answer 5 5
ok 'the claim waits for the thread' wait_for 30 waits
session_end "DELETE FROM threads WHERE id = $(bin "$(thread 5)"); COMMIT"
ok 'the thread is gone' wait_for 30 came_to 5 failed
like "$(probe take mail.dead | grep -a error=)" "error=ReplyTo.Thread: there is no thread $(thread 5)" 'nobody gets an address that leads nowhere'
is "$(tokens 5 | wc -l)" 0 'it was not sent'

# ---- the process is killed between the server's answer and the record ----
kill -STOP "$sink_pid"
answer 6 6
ok 'it is claimed' wait_for 30 came_to 6 sending
held_thread 6
kill -CONT "$sink_pid"
ok 'the result waits for the thread' wait_for 30 waits
# shellcheck disable=SC2046
kill -KILL "$mailout_pid" $(mailout_workers)
mailout_wait
session_end
ok 'what it wrote is not there' wait_for 30 came_to 6 sending
sql "UPDATE outbound SET claimed_at = claimed_at - INTERVAL 1 MINUTE WHERE status = 'sending'"
mailout_start
ok 'the next one sends it again' wait_for 30 came_to 6 sent
is "$(answers 6) $(ticket 6)" '1 pending' 'it is in the ticket once'
is "$(known 6 6)" ' 2 1' 'both copies can be answered'

# ---- the database goes away before the answer is claimed ----
held_thread 7
answer 7 7
ok 'the claim waits for the thread' wait_for 30 waits
"$SANDBOX" kill "$SANDBOX_DIR" database
await_log "$(request 7) event=(sent|deferred)"
is "$(tokens 7 | wc -l)" 0 'without the record it is not sent'
session_end
"$SANDBOX" up "$SANDBOX_DIR" database
ok 'with the database it is' wait_for 60 came_to 7 sent
is "$(answers 7) $(known 7 7)" '1  1 1' 'and can be answered'
mailout_stop
done_testing
