#!/bin/sh
# A worker of a serial route that was cut off cannot commit late: not in the middle of a transaction, not before one.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/target.sh"
plan 14
use_sandbox --only broker,database
ingest_setup
cat >> "$TMP/conf" <<END
[route ordered]
recipients = ordered@example.test
serial = yes
target = $TMP/own.sql
END
sed -i 's/^\[amqp\]/[amqp]\nheartbeat = 1s/; s/^\[mysql\]/[mysql]\ntimeout = 2s/' "$TMP/conf"
sed 's/^timeout = 2s/timeout = 60s/' "$TMP/conf" > "$TMP/first.conf"
mailctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
mailctl setup > "$TMP/setup.log" 2>&1 || die "setup: $(cat "$TMP/setup.log")"
sql "CREATE TABLE journal (number INT PRIMARY KEY AUTO_INCREMENT, mail CHAR(36) CHARACTER SET ascii);
	CREATE TABLE gate (id INT PRIMARY KEY, passed INT);
	INSERT INTO gate VALUES (1, 0)"
target_grant 'SELECT, INSERT, UPDATE' journal gate
cat > "$TMP/own.sql" <<'END'
UPDATE gate SET passed = passed + 1 WHERE id = 1;
INSERT INTO journal (mail) VALUES (:message_uuid);
END

# The worker that will be cut off waits for the database longer than this test lasts.
"$BUILD/sbin/mailin-ingest" --config "$TMP/first.conf" --foreground 2> "$TMP/first.log" &
first_pid=$!
# shellcheck disable=SC2016 # at the exit
at_exit 'kill -CONT $(first_worker) 2> /dev/null; kill -KILL $first_pid 2> /dev/null'
first_worker() { pgrep -P "$first_pid"; }
first_logged() { grep -Eq -- "$1" "$TMP/first.log"; }
send() { documents --route ordered --first "$1" | probe publish ordered; }
journal() { sql 'SELECT CAST(RIGHT(mail, 2) AS INT) FROM journal ORDER BY number' | paste -sd ' '; }
journal_is() { [ "$(journal)" = "$1" ]; }
epoch() { sql "SELECT epoch FROM fences WHERE route = 'ordered'"; }

waits() { [ "$(sql "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'
	AND trx_query LIKE '$1%' AND trx_mysql_thread_id IN
	(SELECT connection_id FROM fences)")" -eq 1 ]; }

send 1
wait_for 30 journal_is 1
is "$(epoch)" 1 'the worker has taken its turn'

# In the middle of a transaction: its message is written, and the target waits for a lock.
session_begin 'BEGIN; SELECT passed FROM gate FOR UPDATE'
send 2
wait_for 30 waits 'UPDATE gate'
worker=$(first_worker)
kill -STOP "$worker"
first_connection=$(sql "SELECT connection_id FROM fences WHERE route = 'ordered'")
session_end
is_open() { [ "$(sql "SELECT COUNT(*) FROM information_schema.innodb_trx
	WHERE trx_mysql_thread_id = $first_connection AND trx_state = 'RUNNING'")" -eq 1 ]; }
wait_for 30 is_open
is "$(journal)" 1 'nothing is committed'
ingest_start
wait_for 60 journal_is '1 2'
is "$(journal)" '1 2' 'the next one has got the turn and its message'
is "$(epoch)" 2 'with an epoch of its own'
send 3
wait_for 30 journal_is '1 2 3'
kill -CONT "$worker"
wait_for 30 first_logged 'event=broker'
is "$(grep -Eo 'event=(stored|duplicate|delayed|dead)' "$TMP/first.log")" event=stored \
	'the one that was cut off notices, and does nothing about the second one'
is "$(journal)" '1 2 3' 'each message is stored once, in order'
is "$(sql 'SELECT passed FROM gate')" 3 'and ran its target once'

# Between transactions: its message has come to it when it is stopped.
ingest_stop
send 4
wait_for 60 journal_is '1 2 3 4'
is "$(epoch)" 3 'the first one has the turn again'
kill -STOP "$worker"
send 5
ingest_start
wait_for 60 journal_is '1 2 3 4 5'
is "$(epoch)" 4 'and loses it again'
kill -CONT "$worker"
send 6
wait_for 30 journal_is '1 2 3 4 5 6'
is "$(journal) $(sql 'SELECT passed FROM gate') $(rows)" '1 2 3 4 5 6 6 6' 'all are stored once and in order'
ingest_stop

# Its turn is over when it begins its transaction.
send 7
wait_for 60 journal_is '1 2 3 4 5 6 7'
is "$(epoch)" 5 'the first one has it once more'
session_begin 'BEGIN; SELECT epoch FROM fences FOR UPDATE'
send 8
wait_for 30 waits 'SELECT epoch FROM fences'
echo 'UPDATE fences SET epoch = epoch + 1; COMMIT;' >&4
wait_for 30 first_logged 'the serial route ordered is another worker.s now'
wait_for 60 journal_is '1 2 3 4 5 6 7 8'
session_end
is "$(epoch) $(journal) $(rows)" '7 1 2 3 4 5 6 7 8 8' 'it gives the message back, and takes it with a new turn'
kill -TERM "$first_pid"
wait "$first_pid"
is "$?" 0 'it ends in good order'
is "$(probe count mail.in.ordered) $(probe count mail.dead)" '0 0' 'all are acknowledged'
