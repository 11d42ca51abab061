#!/bin/sh
# The first SIGTERM finishes the batch in hand; a second one leaves at once without an ack.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 8
use_sandbox --only broker,database
ingest_setup
ingest_set batch_count 20
# The database holds the first batch up for as long as we hold the tables.
hold() { session_begin 'LOCK TABLES messages WRITE, blobs WRITE, attachments WRITE'; }
# Of this database: others are at work in the same server.
blocked_workers() {
	sql "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'Waiting for table metadata lock'"
}
blocked() { [ "$(blocked_workers)" = 1 ]; }

ingest_set batch_wait 1s
ingest_start
documents --first 101 | publish
stored 1
hold
documents --count 100 | publish
ok 'a batch is in hand' wait_for 30 blocked
kill -TERM "$ingest_pid"
sleep 0.5
is "$(blocked_workers)" 1 'and stays so after SIGTERM'
session_end
ingest_wait
is "$ingest_status" 0 'the exit status says that all was finished'
is "$(rows) $(probe count mail.in.support)" '21 80' 'that batch is stored and acknowledged, no other'

hold
ingest_start
wait_for 30 blocked
# Signals of a kind count as one until the first was seen.
state() { sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$ingest_pid/status" 2> /dev/null; }
again() {
	kill -TERM "$ingest_pid" 2> /dev/null
	[ -z "$(state)" ] || [ "$(state)" = Z ]
}
wait_for 30 again
ingest_wait
ok 'the second SIGTERM does not wait for the database' kill -0 "$session_pid"
is "$ingest_status" 75 'and says that something was left'
session_end
disconnected() { [ "$(sql "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND user = 'mailpipe-ingest'")" = 0 ]; }
wait_for 30 disconnected
everything() { [ "$(probe count mail.in.support)" = 80 ]; }
ok 'what was in hand is in the queue again' wait_for 30 everything
ingest_start
stored 101
ingest_stop
is "$(rows) $(probe count mail.in.support)" '101 0' 'and is stored by the next one'
