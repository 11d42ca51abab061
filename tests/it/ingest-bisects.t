#!/bin/sh
# A batch that the database refuses is halved until the culprits alone are left.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 5
use_sandbox --only broker,database
ingest_setup
sql "DELIMITER //
CREATE TRIGGER poison BEFORE INSERT ON messages FOR EACH ROW
IF NEW.subject = 'poison' THEN
	SIGNAL SQLSTATE '22001' SET MYSQL_ERRNO = 1406, MESSAGE_TEXT = 'poison is too long';
END IF//"
documents --count 37 --attach 100:a | publish
documents --first 38 --subject poison --attach 100:b | publish
documents --first 39 --count 20 | publish
documents --first 59 --subject poison | publish
documents --first 60 --count 41 | publish
ingest_start
stored 98
dead() { [ "$(events dead)" -eq 2 ]; }
wait_for 30 dead
ingest_stop
is "$(rows) $(sql "SELECT COUNT(*) FROM messages WHERE subject = 'poison'")" '98 0' 'the others are stored'
is "$(probe take mail.dead 3 | grep -c '^key=mail.in.support .* error=database error 1406: poison is too long$')" 2 \
	"the culprits are in mail.dead with the server's reason"
is "$(probe count mail.in.support)" 0 'all are acknowledged'
is "$(sed -n 's/.*: \(Q[0-9]* [^ ]*\) event=dead .*/\1/p' "$TMP/log" | sort)" \
	"$(printf 'Q38 00000000-0000-8000-8000-000000000038\nQ59 00000000-0000-8000-8000-000000000059')" \
	'the log names them'
is "$(sql 'SELECT COUNT(*) FROM blobs')" 1 'nothing else of them is stored'
