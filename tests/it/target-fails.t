#!/bin/sh
# What a target cannot write: the mail's fault ends in mail.dead and takes nothing with it, ours makes it wait.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/target.sh"
plan 15
use_sandbox --only broker,database
ingest_setup
sql "CREATE TABLE notes (id BINARY(16) PRIMARY KEY, subject VARCHAR(20) NOT NULL, UNIQUE (subject)) CHARSET utf8mb4;
	CREATE TABLE tags (note BINARY(16), tag VARCHAR(64), FOREIGN KEY (note) REFERENCES notes (id)) CHARSET utf8mb4;
	DELIMITER //
	CREATE TRIGGER no_spam BEFORE INSERT ON tags FOR EACH ROW
	IF NEW.tag LIKE 'spam%' THEN
		SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no spam here';
	END IF//"
target_grant 'SELECT, INSERT' notes tags
target_use <<'END'
-- mailpipe: message
INSERT INTO notes (id, subject) VALUES (:message_id, :subject);
INSERT INTO tags (note, tag)
VALUES (:message_id, LEFT(:text, 4));
END
notes() { sql 'SELECT COUNT(*) FROM notes'; }
dead_are() { [ "$(probe count mail.dead)" -eq "$1" ]; }
mail() { documents --first "$1" --subject "${2-subject $1}" ${3:+--set "TextBody=\"$3\""} --attach 10; }

# ---- the mail's fault ----
for n in 1 2 3 4 5; do mail $n; done | publish
mail 6 'a subject that is longer than the column' | publish
mail 7 'spam' 'spam, really' | publish
mail 8 'subject 3' | publish
mail 9 | publish
mail 10 'subject 9' | publish
for n in 11 12 13; do mail $n; done | publish
ingest_start
stored 9
wait_for 60 dead_are 4
is "$(rows) $(notes) $(sql 'SELECT COUNT(*) FROM tags') $(sql 'SELECT COUNT(*) FROM attachments')" '9 9 9 9' \
	'all others are stored'
is "$(sql "SELECT COUNT(*) FROM messages WHERE CAST(RIGHT(HEX(id), 2) AS INT) IN (6, 7, 8, 10)")" 0 \
	'nothing of the refused ones is'
probe take mail.dead 4 > "$TMP/dead"
own=$TMP/own.sql
like "$(cat "$TMP/dead")" "error=$own:2: database error 1406: Data too long for column 'subject'" 'a value is too long: file and line'
like "$(cat "$TMP/dead")" "error=$own:3: database error 1644: no spam here" 'a trigger refuses'
is "$(grep -c "error=$own:2: database error 1062: Duplicate entry" "$TMP/dead")" 2 \
	'a key is there already, in the table or in the batch'
sql "ALTER TABLE tags ADD FOREIGN KEY (tag) REFERENCES allowed (tag)" 2> /dev/null

# ---- our fault ----
sql 'RENAME TABLE tags TO away'
mail 14 | publish
await_log 'event=retry .*own.sql:3: database error 1146: '
is "$(rows) $(notes) $(probe count mail.dead)" '9 9 0' 'a table that is missing: it waits'
sql 'RENAME TABLE away TO tags'
stored 10
is "$(rows) $(notes) $(sql 'SELECT COUNT(*) FROM tags')" '10 10 10' 'and is stored when the table is there'
sql "REVOKE INSERT ON tags FROM $(target_user)"
: > "$TMP/log"
mail 15 | publish
await_log 'event=retry .*own.sql:3: database error 1142: INSERT command denied'
is "$(rows) $(notes) $(probe count mail.dead)" '10 10 0' 'a right that is missing: the same'
target_grant INSERT tags
stored 11

# ---- edits ----
: > "$TMP/log"
sed 's/:subject/:Subject/' "$own" > "$own.new"
mv "$own.new" "$own"
n=16
complained() {
	mail $n | publish
	n=$((n + 1))
	grep -q "event=target .*own.sql:2: unknown parameter :Subject" "$TMP/log"
}
wait_for 30 complained
is "$?" 0 'a broken edit is told'
stored $((n - 5))
is "$(rows) $(notes) $(events target)" "$((n - 5)) $((n - 5)) 1" 'once, and the last good version goes on'
# A table that is not there: the server refuses it.
sed 's/:Subject/:subject/; s/tags/tagz/' "$own" > "$own.new"
mv "$own.new" "$own"
refused() {
	mail $n | publish
	n=$((n + 1))
	grep -q "event=target .*own.sql:3: database error 114[26]: " "$TMP/log"
}
wait_for 30 refused
is "$?" 0 'so is one that the server does not take'
sed 's/tagz/tags/; s/LEFT(:text, 4)/CONCAT(LEFT(:text, 4), 2)/' "$own" > "$own.new"
mv "$own.new" "$own"
is_taken() {
	mail $n | publish
	n=$((n + 1))
	[ "$(sql "SELECT COUNT(*) FROM tags WHERE tag = 'Line2'")" -gt 0 ]
}
wait_for 30 is_taken
is "$?" 0 'a good one is taken without a restart'
stored $((n - 5))
ingest_stop
is "$(notes) $(probe count mail.in.support) $(probe count mail.dead)" "$(rows) 0 0" 'and nothing is lost meanwhile'

# ---- a worker that starts with a broken one ----
echo 'INSERT INTO notes (id, subject) VALUES (:message_id, :subject)' > "$own"
before=$(rows)
: > "$TMP/log"
mail 9000 | publish
documents --route inbox --first 9001 | probe publish inbox
ingest_start
await_log "event=retry .*own.sql:1: the statement does not end with ';'"
stored $((before + 1))
is "$(sql "SELECT COUNT(*) FROM messages WHERE route = 'inbox'") $(probe count mail.dead)" '1 0' \
	'its mail waits, that of other routes does not'
echo 'INSERT INTO notes (id, subject) VALUES (:message_id, :subject);' > "$own"
stored $((before + 2))
ingest_stop
is "$(rows) $(notes)" "$((before + 2)) $((before + 1))" 'and is stored when the file is mended'
