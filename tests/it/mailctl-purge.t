#!/bin/sh
# mailctl purge removes what is old, by route: messages, attachments, blobs without another reference, records.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 24
use_sandbox --only broker,database
ingest_setup

purge() {
	"$BUILD/bin/mailctl" --config "$TMP/conf" purge --json "$@" > "$TMP/json" 2> "$TMP/err"
	purge_exit=$?
}
value() { jq -c "$1" "$TMP/json"; }
route() { value ".Routes[] | select(.Name == \"$1\") | [.Found, .Removed, .Attachments, .Blobs]"; }
counts() { sql "SELECT (SELECT COUNT(*) FROM messages), (SELECT COUNT(*) FROM attachments), (SELECT COUNT(*) FROM blobs)"; }

# 30 with a logo and one of its own, 10 with the logo alone: 31 blobs.
documents --count 30 --attach 50000:logo --attach 10 | publish
documents --first 31 --count 10 --attach 50000:logo | publish
ingest_start
stored 40
ingest_stop
is "$(counts)" "$(printf '40\t70\t31')" 'what is there'
sql "UPDATE messages SET received_at = NOW(3) - INTERVAL 10 DAY, stored_at = received_at;
	UPDATE messages SET received_at = NOW(3) - INTERVAL 40 DAY, stored_at = received_at ORDER BY id LIMIT 25;
	UPDATE messages SET stored_at = NOW(3) ORDER BY id LIMIT 1;
	UPDATE messages SET route = 'gone' ORDER BY id DESC LIMIT 2;"

purge
is "$purge_exit" 0 'without any keep there is nothing to do'
is "$(counts)" "$(printf '40\t70\t31')" '... and nothing is done'
purge --older-than=30d --dry-run
is "$(route support)" '[24,0,0,0]' 'a dry run counts: what was stored lately stays, however old it is'
is "$(counts)" "$(printf '40\t70\t31')" '... and removes nothing'
purge --older-than=30d
is "$purge_exit $(route support)" '0 [24,24,48,24]' 'messages, attachments, and what nothing else refers to'
is "$(counts)" "$(printf '16\t22\t7')" 'the others and what they refer to are there'
is "$(value .Unreferenced)" '{"Blobs":0,"BlobBytes":0}' 'nothing is without a reference'

# Blobs whose messages the application has deleted.
sql "DELETE FROM messages WHERE route = 'support' AND received_at < NOW(3) - INTERVAL 30 DAY"
sql "INSERT INTO blobs (sha256, size, data) SELECT UNHEX(SHA2(seq, 256)), 3, 'abc' FROM seq_1_to_2500"
purge --older-than=30d
is "$(value .Unreferenced)" '{"Blobs":2501,"BlobBytes":7510}' 'what nothing refers to is found'
is "$(counts)" "$(printf '15\t20\t6')" 'and removed'

# The config's keep.
sed -i 's/^\[route support\]/&\nkeep = 7d/' "$TMP/conf"
purge --dry-run
is "$(value '[.Routes[].Name]')" '["support"]' 'by the config: what has a keep'
purge
is "$(route support)" '[13,13,18,5]' 'the route is empty'
is "$(counts)" "$(printf '2\t2\t1')" 'another route is not touched, nor the logo that it needs'
purge --route=gone --older-than=1d
is "$(route gone)" '[2,2,2,1]' 'also a route that the config knows no more'
is "$(counts)" "$(printf '0\t0\t0')" 'and the logo with the last of them'

# Something of the application's refers to two messages.
documents --count 250 --attach 10 | publish
ingest_start
stored 250
ingest_stop
sql "UPDATE messages SET stored_at = NOW(3) - INTERVAL 1 DAY;
	CREATE TABLE theirs (id BINARY(16) PRIMARY KEY, FOREIGN KEY (id) REFERENCES messages (id)) ENGINE=InnoDB;
	INSERT INTO theirs SELECT id FROM messages ORDER BY received_at, id LIMIT 2 OFFSET 120"
purge --older-than=1h --route=support
is "$purge_exit $(route support)" '0 [250,248,248,248]' 'what the application refers to stays'
is "$(value '.Routes[0].Referenced')" 2 '... and is counted'
is "$(counts)" "$(printf '2\t2\t2')" '... with its attachments'
sql 'DROP TABLE theirs'

# Records of outgoing mail.
sql "INSERT INTO outbound (id, stream, metadata, status, updated_at)
	SELECT UNHEX(MD5(seq)), IF(seq <= 600, 'bulk', 'transactional'), '{}',
		ELT(1 + seq % 6, 'sent', 'failed', 'deferred', 'sending', 'held', 'expired'), NOW(3) - INTERVAL 100 DAY FROM seq_1_to_1200;
	INSERT INTO outbound_recipients (outbound_id, email, status) SELECT id, 'a@example.test', 'sent' FROM outbound"
sed -i '$a\[stream bulk]\nkeep = 90d\n[stream transactional]' "$TMP/conf"
purge --outbound
is "$purge_exit $(value '[.Streams[] | .Name, .Found, .Removed]')" '0 ["bulk",400,400]' 'records of a stream with keep'
is "$(sql 'SELECT COUNT(*) FROM outbound_recipients')" 800 'with their recipients'
is "$(sql "SELECT GROUP_CONCAT(DISTINCT status ORDER BY status) FROM outbound WHERE stream = 'bulk'")" sending,deferred \
	'what is not finished stays'
purge --outbound --older-than=1d
is "$(value '[.Streams[] | .Name, .Removed]')" '["bulk",0,"transactional",400]' 'those of all streams'

purge --route=supprot
is "$purge_exit $(grep -c 'no route supprot' "$TMP/err")" '64 1' 'a misspelt route is an error'
purge --older-than=yesterday
is "$purge_exit" 64 'and an age that is none'
