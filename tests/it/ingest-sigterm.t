#!/bin/sh
# The first SIGTERM finishes the batch in hand; a second one leaves at once without an ack.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 8
use_sandbox --only broker,database
ingest_setup
ingest_set batch_count 20
# The database holds the first batch up for as long as we hold the table.
hold() {
	mkfifo "$TMP/hold"
	mariadb --defaults-file="$MYSQL_ROOT_CNF" "$MYSQL_DATABASE" < "$TMP/hold" > /dev/null &
	holder=$!
	exec 4> "$TMP/hold"
	echo "LOCK TABLES messages WRITE, blobs WRITE, attachments WRITE; SELECT 'held' INTO OUTFILE '$TMP/held/yes';" >&4
	wait_for 10 test -e "$TMP/held/yes"
}
mkdir "$TMP/held" && chmod 777 "$TMP/held"
release() {
	exec 4>&-
	wait "$holder"
	rm -rf "$TMP/hold" "$TMP/held/yes"
}
blocked() { sql 'SHOW PROCESSLIST' | grep -q 'Waiting for table metadata lock'; }

ingest_set batch_wait 1s
ingest_start
documents --first 101 | publish
stored 1
hold
documents --count 100 | publish
ok 'a batch is in hand' wait_for 20 blocked
kill -TERM "$ingest_pid"
sleep 0.5
is "$(sql "SHOW PROCESSLIST" | grep -c 'Waiting for table metadata lock')" 1 'and stays so after SIGTERM'
release
ingest_wait
is "$ingest_status" 0 'the exit status says that all was finished'
is "$(rows) $(probe count mail.in.support)" '21 80' 'that batch is stored and acknowledged, no other'

hold
ingest_start
wait_for 20 blocked
kill -TERM "$ingest_pid"
sleep 0.5
kill -TERM "$ingest_pid"
ingest_wait
ok 'the second SIGTERM does not wait for the database' blocked
is "$ingest_status" 75 'and says that something was left'
release
wait_for 10 sh -c "! mariadb --defaults-file='$MYSQL_ROOT_CNF' -e 'SHOW PROCESSLIST' | grep -q mailpipe-ingest"
everything() { [ "$(probe count mail.in.support)" = 80 ]; }
ok 'what was in hand is in the queue again' wait_for 20 everything
ingest_start
stored 101
ingest_stop
is "$(rows) $(probe count mail.in.support)" '101 0' 'and is stored by the next one'
