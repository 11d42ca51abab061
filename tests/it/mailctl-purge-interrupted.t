#!/bin/sh
# mailctl purge may be interrupted or killed at any moment: nothing is half removed, and run again it goes on.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 10
use_sandbox --only broker,database
ingest_setup

messages() { sql 'SELECT COUNT(*) FROM messages'; }
# Attachments without a message, blobs without an attachment.
halves() {
	sql 'SELECT (SELECT COUNT(*) FROM attachments a LEFT JOIN messages m ON m.id = a.message_id WHERE m.id IS NULL),
		(SELECT COUNT(*) FROM blobs b LEFT JOIN attachments a ON a.sha256 = b.sha256 WHERE a.id IS NULL)'
}
fewer() { [ "$(messages)" -lt "$1" ]; }

# Each with an attachment of its own.  What removes NUMBER waits as long as we hold its row in the table of what is gone.
hold() { session_begin "BEGIN; INSERT INTO gone VALUES (UNHEX('00000000000080008000000000000$1'))"; }

documents --count 600 --attach 10 | publish
ingest_start
stored 600
ingest_stop
sql "UPDATE messages SET received_at = NOW(3) - INTERVAL 2 DAY, stored_at = received_at;
	CREATE TABLE gone (id BINARY(16) PRIMARY KEY) ENGINE=InnoDB;
	CREATE TRIGGER noted BEFORE DELETE ON messages FOR EACH ROW INSERT INTO gone VALUES (OLD.id)"

hold 250
"$BUILD/bin/mailctl" --config "$TMP/conf" purge --json --older-than=1d > "$TMP/json" 2> "$TMP/err" 4>&- &
pid=$!
wait_for 30 fewer 600
kill -INT "$pid"
session_end
wait "$pid"
is $? 1 'interrupted: not all is done'
is "$(jq -c '[.Complete, .Reason]' "$TMP/json")" '[false,"interrupted; run again it goes on"]' 'it says so'
left=$(messages)
ok 'some are left' [ "$left" -gt 0 ]
is "$(jq '.Routes[0].Removed' "$TMP/json")" $((600 - left)) 'what it says it has removed is gone'
is "$(halves)" "$(printf '0\t0')" 'nothing is half removed'

hold 550
"$BUILD/bin/mailctl" --config "$TMP/conf" purge --older-than=1d > "$TMP/killed" 2>&1 4>&- &
pid=$!
wait_for 30 fewer "$left"
kill -KILL "$pid"
wait "$pid" 2> /dev/null
session_end
# The server may still be at work on the last transaction, which it rolls back then.
settled() { "$BUILD/bin/mailctl" --config "$TMP/conf" purge --older-than=1d; }
is "$(halves)" "$(printf '0\t0')" 'killed: nothing is half removed'
ok 'it goes on' wait_for 60 settled
is "$(messages)" 0 'to the end'
is "$(sql 'SELECT COUNT(*) FROM gone')" 600 'each was removed once'
is "$(sql 'SELECT (SELECT COUNT(*) FROM attachments) + (SELECT COUNT(*) FROM blobs)')" 0 'with all that belonged to them'
