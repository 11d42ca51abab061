#!/bin/sh
# A user's own target: an SQL file that writes into tables of its own, in the transaction of the messages.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/target.sh"
plan 6
use_sandbox --only broker,database
ingest_setup
sql 'CREATE TABLE questions (message_id BINARY(16) PRIMARY KEY, asker TEXT, name TEXT, subject TEXT, body MEDIUMTEXT,
		reply_to TEXT, arrived DATETIME(3), sent DATETIME, automatic TEXT);
	CREATE TABLE files (id BINARY(16) PRIMARY KEY, message_id BINARY(16), place INT, name TEXT, type TEXT, size BIGINT,
		sha256 BINARY(32), FOREIGN KEY (message_id) REFERENCES questions (message_id))'
target_grant 'INSERT' questions files
target_use <<'END'
-- mailpipe: message
INSERT INTO questions (message_id, asker, name, subject, body, reply_to, arrived, sent, automatic)
VALUES (:message_id, :from_email, :from_name, :subject, :text, :reply_to, :received_at, :date_utc, :auto);

-- mailpipe: attachment
INSERT INTO files (id, message_id, place, name, type, size, sha256) VALUES (:attachment_id, :message_id,
	:attachment_position, :attachment_name, :attachment_type, :attachment_size, :attachment_sha256);
END
documents --attach 3 --attach 0 --subject "Grüße 😀 'x'; \\ :text ?" | publish
documents --first 2 --set 'FromName=""' --set 'Mailpipe.DateUTC=null' --delete Mailpipe.DateUTC | publish
documents --first 3 --count 50 --attach 10 | publish
ingest_start
stored 52
ingest_stop
is "$(sql "SELECT asker, name, subject, LEFT(body, 8), reply_to, arrived, sent, automatic FROM questions
	WHERE HEX(message_id) LIKE '%01'")" \
	"$(printf '%s\t' ann@example.net 'Ann Example' "Grüße 😀 'x'; \\ :text ?" 'Line 1 o' NULL '2026-11-22 12:00:01.234' \
		'2026-11-22 12:00:00')no" 'what the mail says is bound'
is "$(sql "SELECT name IS NULL, sent IS NULL FROM questions WHERE HEX(message_id) LIKE '%02'")" "$(printf '1\t1')" \
	'what it does not say is NULL'
is "$(sql 'SELECT COUNT(*) FROM questions q JOIN messages m ON m.id = q.message_id
	WHERE BINARY m.subject = BINARY q.subject AND BINARY m.text_body = BINARY q.body')" 52 'a row for each message'
is "$(sql 'SELECT COUNT(*) FROM files f JOIN attachments a ON a.id = f.id AND a.message_id = f.message_id
	AND a.position = f.place AND BINARY a.name = BINARY f.name AND a.size = f.size AND a.sha256 = f.sha256')" 52 \
	'a row for each attachment, with the id it has in attachments'
documents --count 60 --attach 10 | publish
ingest_start
stored 60
ingest_stop
is "$(sql 'SELECT COUNT(*) FROM questions') $(sql 'SELECT COUNT(*) FROM files')" '60 60' 'what comes again is written once'
is "$(probe count mail.in.support) $(probe count mail.dead)" '0 0' 'all are acknowledged'
