#!/bin/sh
# A document becomes a row with its attachments, and one line in the log.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 9
use_sandbox --only broker,database
ingest_setup
documents --attach 3:same --attach 0 --subject 'Grüße 😀' --set 'Mailpipe.Defects=["odd"]' \
	--set 'Mailpipe.Raw="UkFX"' --set 'Attachments.0.ContentID="logo@x"' | publish
ingest_start
stored 1
is "$(sql 'SELECT route, recipient, sender, queue_id, client_address, size, received_at, date_utc FROM messages')" \
	"$(printf '%s\t' support support@example.com ann@example.net Q1 192.0.2.25 700 '2026-11-22 12:00:01.234')2026-11-22 12:00:00" \
	'the envelope'
is "$(sql 'SELECT from_email, from_name, subject, text_body, message_id_header, auto, defects FROM messages')" \
	"$(printf '%s\t' ann@example.net 'Ann Example' 'Grüße 😀' \
		'Line 1 of a question that somebody has about something. Line 1 of a question that somebody has about' \
		1@example.net no)[\"odd\"]" 'the mail'
is "$(sql "SELECT text_reply = text_body, text_quote, reply_rule FROM messages")" "$(printf '1\tNULL\t')" 'all of it is the reply'
is "$(sql "SELECT to_json, cc_json, JSON_LENGTH(headers), JSON_VALUE(headers, '\$[3].Value') FROM messages")" \
	"$(printf '%s\t' '[{"Email":"support@example.com","Name":"Support","MailboxHash":""}]' '[]' 8)Grüße 😀" \
	'lists are JSON'
is "$(sql 'SELECT position, name, content_id, size FROM attachments ORDER BY position')" \
	"$(printf '0\tfile0.bin\tlogo@x\t3\n1\tfile1.bin\tNULL\t0')" 'two attachments in order'
is "$(sql 'SELECT COUNT(*) FROM attachments a JOIN blobs b USING (sha256)
	WHERE SHA2(b.data, 256) = LOWER(HEX(a.sha256)) AND b.size = a.size AND LENGTH(b.data) = a.size')" 2 \
	'with their bytes'
is "$(sql 'SELECT b.data FROM messages m JOIN blobs b ON b.sha256 = m.raw_sha256')" RAW 'the raw mail'
ingest_stop
is "$(sed -n 's/.*: \(Q1 .*\) delay=[0-9]*\.[0-9]* /\1 /p' "$TMP/log")" \
	'Q1 00000000-0000-8000-8000-000000000001 event=stored route=support from=ann@example.net to=support@example.com size=700 attempt=1' \
	'the line in the log'
is "$(probe count mail.in.support)" 0 'acknowledged'
