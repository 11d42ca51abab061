#!/bin/sh
# Two workers get what belongs together at once, a thousand times: it becomes one ticket, and they wait for each
# other instead of running into deadlocks.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/thread.sh"
plan 12
use_sandbox --only broker,database
thread_setup
ingest_set workers 2
ingest_set batch_count 1

# Each pair has a sender of its own; neighbours in the queue go to different workers.
pairs() { awk -v first="$1" 'BEGIN { for (i = 0; i < 1000; i++)
	for (k = 0; k < 2; k++) print first + 2 * i + k, "p" i, "i" i "k" k, "refs=q" i }'; }
pairs 1 > "$TMP/pairs"
"$TREE/tests/lib/thread-mails" < "$TMP/pairs" | publish
ingest_start
wait_for 120 is_stored 2000
split() {
	sed -n 's/^mailin-ingest\[\([0-9]*\)\]: Q\([0-9]*\) .* event=stored .*/\2 \1/p' "$TMP/log" | sort -n |
		awk '{ pair = int(($1 - 1) / 2) } pair == last && $2 != worker { n++ } { last = pair; worker = $2 } END { print n + 0 }'
}
diag "$(split) of 1000 pairs were stored by both workers"
is "$(rows)" 2000 'all are stored'
is "$(sql 'SELECT COUNT(*), COUNT(DISTINCT number) FROM tickets')" '1000	1000' 'two answers at once are one ticket'
is "$(sql 'SELECT COUNT(*) FROM (SELECT ticket_id FROM ticket_messages GROUP BY ticket_id HAVING COUNT(*) = 2) t')" 1000 \
	'of two messages'
ingest_stop
is "$(grep -c 'Deadlock found' "$TMP/log")" 0 'no deadlock'
is "$(events retry)" 0 'no batch was tried again'

# All in one ticket, by two senders, in an order that no worker can foresee.
sql 'DELETE FROM messages; DELETE FROM threads'
sed -i 's/^batch_count = 1/batch_count = 16/' "$TMP/conf"
echo '1 ann a1' | "$TREE/tests/lib/thread-mails" | publish
ingest_start
stored 1
sql "INSERT INTO thread_participants (thread_id, email) SELECT id, 'bob@example.net' FROM threads"
ingest_stop
awk 'BEGIN { for (i = 2; i <= 1001; i++) print i, i % 2 ? "ann" : "bob", "r" i, "refs=a1,r" i - 1 ",r" i + 1 }' |
	"$TREE/tests/lib/thread-mails" | shuf | publish
ingest_start
wait_for 120 is_stored 1001
is "$(sql 'SELECT COUNT(*) FROM ticket_messages')" 1001 'all are stored'
is "$(sql 'SELECT COUNT(*) FROM tickets')" 1 'a thousand answers of two people are in one ticket'
is "$(sql 'SELECT COUNT(*) FROM thread_participants')" 2 'which has two participants'
ingest_stop
is "$(grep -c 'Deadlock found' "$TMP/log")" 0 'no deadlock'
is "$(events retry)" 0 'no batch was tried again'

# Both at the very same place: their common lock is held until both wait for it.
sql 'DELETE FROM messages; DELETE FROM threads'
sed -i 's/^batch_count = 16/batch_count = 1/' "$TMP/conf"
ingest_start
consumes() { [ "$(events consuming)" -ge 6 ]; }
wait_for 30 consumes
mkfifo "$TMP/commands"
sql < "$TMP/commands" > "$TMP/answers" 2>&1 &
client=$!
exec 5> "$TMP/commands"
cat >&5 <<-END
	BEGIN;
	INSERT INTO thread_senders (sender, used_on) VALUES (UNHEX(SHA2(CONCAT('support', CHAR(0), 'eva@example.net'), 256)), UTC_DATE());
	SELECT 'held';
END
held() { grep -q held "$TMP/answers"; }
wait_for 30 held
printf '1 eva e1 refs=e0\n2 eva e2 refs=e0\n' | "$TREE/tests/lib/thread-mails" | publish
both_wait() {
	[ "$(sql "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p
		ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'")" -eq 2 ]
}
ok 'both wait' wait_for 30 both_wait
echo 'ROLLBACK;' >&5
exec 5>&-
wait "$client"
stored 2
is "$(threads)" '1 2' 'one ticket'
