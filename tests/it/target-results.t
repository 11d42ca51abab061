#!/bin/sh
# Statements of a target that have results: an error that comes in the place of a row fails the mail like any other.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/target.sh"
plan 9
use_sandbox --only broker,database
ingest_setup
ingest_set workers 1
sed -i 's/^tiers = .*/tiers = 300ms 600ms/' "$TMP/conf"
mailctl_setup() { "$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1; }
mailctl_setup || die "setup: $(cat "$TMP/setup.log")"
sql "CREATE TABLE gate (id INT PRIMARY KEY, passed INT NOT NULL);
	INSERT INTO gate VALUES (1, 0), (2, 0);
	CREATE TABLE journal (mail CHAR(36) CHARACTER SET ascii PRIMARY KEY);
	CREATE TABLE weight (id INT PRIMARY KEY AUTO_INCREMENT);
	DELIMITER //
	CREATE FUNCTION no_spam (subject TEXT) RETURNS INT DETERMINISTIC BEGIN
		IF subject LIKE 'spam%' THEN
			SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no spam here';
		END IF;
		RETURN 1;
	END//"
target_grant 'SELECT, INSERT, UPDATE' gate journal
sql "GRANT EXECUTE ON FUNCTION no_spam TO $(target_user)"
mail() { documents --first "$1" --subject "$2" | publish; }
dead_are() { [ "$(probe count mail.dead)" -eq "$1" ]; }
journal() { sql 'SELECT CAST(RIGHT(mail, 2) AS INT) FROM journal ORDER BY mail' | paste -sd ' '; }

# ---- the mail's fault ----
target_use <<'END'
SELECT no_spam(:subject), 'more than anybody reads' FROM gate;
INSERT INTO journal (mail) VALUES (:message_uuid) RETURNING mail;
END
{ mail 1 'good'; mail 2 'spam'; mail 3 'good'; }
ingest_start
stored 2
ok 'a function refuses' wait_for 30 dead_are 1
is "$(journal)" '1 3' 'and nothing of the mail is there'
like "$(probe take mail.dead 1)" "error=$TMP/own.sql:1: database error 1644: no spam here" 'file and line'
sql "INSERT INTO journal SELECT INSERT(mail, 36, 1, '4') FROM journal WHERE mail LIKE '%01'"
mail 4 'its key is there'
ok 'a key is there already' wait_for 30 dead_are 1
like "$(probe take mail.dead 1)" "error=$TMP/own.sql:2: database error 1062: Duplicate entry" 'file and line'
ingest_stop
sql 'DELETE FROM journal'

# ---- a deadlock, which ends the transaction ----
target_use <<'END'
UPDATE gate SET passed = passed + 1 WHERE id = 1;
SELECT passed FROM gate WHERE id > 1 FOR UPDATE;
INSERT INTO journal (mail) VALUES (:message_uuid) ON DUPLICATE KEY UPDATE mail = VALUES(mail);
END
mkfifo "$TMP/session"
mariadb --defaults-file="$MYSQL_ROOT_CNF" -N -B -n "$MYSQL_DATABASE" < "$TMP/session" > "$TMP/session.out" &
session_pid=$!
exec 4> "$TMP/session"
# What has written more is not the one that the server rolls back.
echo "BEGIN; INSERT INTO weight SELECT NULL FROM information_schema.columns LIMIT 1000;
	UPDATE gate SET passed = passed + 1 WHERE id = 2; SELECT 'held';" >&4
wait_for 30 test -s "$TMP/session.out" || die 'no session'
: > "$TMP/log"
ingest_start
mail 5 'in the way'
waits() { [ "$(sql "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p
	ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND trx_state = 'LOCK WAIT' AND trx_query LIKE 'SELECT passed%'")" -eq 1 ]; }
ok 'the mail waits for a lock' wait_for 30 waits
echo 'UPDATE gate SET passed = passed + 1 WHERE id = 1; COMMIT;' >&4
exec 4>&-
wait "$session_pid"
await_log "own.sql:2: database error 1213: "
stored 3
is "$(journal) $(sql 'SELECT passed FROM gate ORDER BY id' | paste -sd ' ')" '5 2 1' 'it is stored when the server takes it'
is "$(probe count mail.in.support) $(probe count mail.dead)" '0 0' 'and nothing is lost'
ingest_stop
is "$ingest_status" 0 'the worker ends well'
