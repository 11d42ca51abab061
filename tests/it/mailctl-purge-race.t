#!/bin/sh
# While mailin-ingest stores references to a blob, mailctl purge removes what refers to it: nothing is lost, no
# reference hangs.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 11
use_sandbox --only broker,database
ingest_setup
ingest_set batch_count 1

purge() { "$BUILD/bin/mailctl" --config "$TMP/conf" purge --json --older-than=1s; }
blobs() { sql 'SELECT COUNT(*) FROM blobs'; }

# A transaction of another has stored a second reference and is not committed.
documents --count 1 --attach 1000:logo | publish
ingest_start
stored 1
sql "UPDATE messages SET stored_at = NOW(3) - INTERVAL 1 DAY"
sql "SELECT HEX(sha256) FROM blobs" > "$TMP/digest"
session_begin "BEGIN;
	INSERT INTO messages (id, route, recipient, received_at, in_reply_to, reference_ids, to_json, cc_json, bcc_json, headers, defects)
		VALUES (UNHEX(MD5('x')), 'support', 'x', NOW(3), '[]', '[]', '[]', '[]', '[]', '[]', '[]');
	INSERT INTO attachments (id, message_id, position, name, size, sha256)
		VALUES (UNHEX(MD5('x')), UNHEX(MD5('x')), 0, 'x', 1000, UNHEX('$(cat "$TMP/digest")'))"
is "$(purge | jq -c '.Routes[0] | [.Removed, .Blobs]')" '[1,0]' 'the message goes; its blob is locked by a new reference'
session_end COMMIT
is "$(blobs)" 1 'the blob is there for the new one'
sql "UPDATE messages SET received_at = NOW(3) - INTERVAL 1 DAY, stored_at = received_at"
is "$(purge | jq -c '.Routes[0] | [.Removed, .Blobs]')" '[1,1]' 'and goes with it'

# The other way round: a worker saw the blob, then it was removed.  Between its look at the blobs and its insert it
# waits for a row that we hold.
sql "CREATE TABLE seen (id BINARY(16) PRIMARY KEY) ENGINE=InnoDB;
	CREATE TRIGGER seeing AFTER INSERT ON messages FOR EACH ROW INSERT INTO seen VALUES (IF(SLEEP(0.02) = 0, NEW.id, NULL))"
met() { grep -q 'database error 1452' "$TMP/log"; }
documents --first 2 --attach 1000:both | publish
stored 1
sql "UPDATE messages SET stored_at = NOW(3) - INTERVAL 1 DAY"
session_begin "BEGIN; INSERT INTO seen VALUES (UNHEX('00000000000080008000000000000003'))"
documents --first 3 --attach 1000:both | publish
inserts() {
	[ "$(sql "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p
		ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'")" = 1 ]
}
wait_for 30 inserts || diag "$(tail -n 5 "$TMP/log")"
is "$(purge | jq -c '.Routes[0] | [.Removed, .Blobs]')" '[1,1]' 'what a worker has only seen goes'
session_end
stored 1
ok 'a worker saw a blob that was removed then' wait_for 30 met

# At random: ten blobs, messages are purged all the time.
seen() { [ "$(sql 'SELECT COUNT(*) FROM seen')" -ge "$1" ]; }
touch "$TMP/go-on"
(
	while [ -e "$TMP/go-on" ]; do
		sql "UPDATE messages SET stored_at = NOW(3) - INTERVAL 1 DAY"
		purge >> "$TMP/purged" 2>> "$TMP/purge-errors" || echo failed >> "$TMP/purge-errors"
	done
) &
purger=$!
i=1
while [ $i -le 10 ]; do
	documents --first $((i * 100)) --count 40 --attach 1000:logo$i > "$TMP/documents.$i"
	i=$((i + 1))
done
cat "$TMP"/documents.* | shuf > "$TMP/shuffled"
# Forty at a time.
sent=0
all_stored=yes
while [ $sent -lt 200 ]; do
	sed -n "$((sent + 1)),$((sent + 40))p" "$TMP/shuffled" | publish
	sent=$((sent + 40))
	wait_for 60 seen $((sent + 2)) || all_stored="no: $(tail -n 5 "$TMP/log")"
done
is "$all_stored" yes 'all are stored'
rm "$TMP/go-on"
wait "$purger"
diag "$(grep -c 'database error 1452' "$TMP/log") times; $(jq -s 'map(.Routes[0].Blobs // 0) | add' "$TMP/purged") were removed"
is "$(cat "$TMP/purge-errors")" '' 'purging never failed'
is "$(events stored)" $((sent + 3)) 'each once'
is "$(probe count mail.dead)" 0 'no dead letter'
is "$(sql "SELECT COUNT(*) FROM attachments a LEFT JOIN blobs b ON b.sha256 = a.sha256 WHERE b.sha256 IS NULL")" 0 \
	'no attachment without its bytes'
sql "UPDATE messages SET received_at = NOW(3) - INTERVAL 1 DAY, stored_at = received_at"
purge > "$TMP/last"
is "$(sql 'SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM attachments) + (SELECT COUNT(*) FROM blobs)')" 0 \
	'at last nothing is left'
