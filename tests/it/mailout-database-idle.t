#!/bin/sh
# The database ends a connection that was idle: the next request is claimed and recorded as ever, and one that
# comes twice is known.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
connections() { sql "SELECT id FROM information_schema.processlist WHERE db = '$MYSQL_DATABASE' AND user LIKE '%mailout%'"; }
cut_off() {
	is "$(connections | wc -l)" 1 "$1: there is a connection"
	sql "KILL CONNECTION $(connections)"
}

mailout_start
requests 1 | publish
recorded 'sent 1'
cut_off 'a request that comes twice'
requests 1 | publish
await_log 'event=duplicate'
is "$(mail_count)" 1 'it is sent once'

cut_off 'a new one'
first=2 requests 1 | publish
recorded 'sent 2'
is "$(mail_count)" 2 'it is sent'

sql "INSERT INTO blobs (sha256, size, data) VALUES (UNHEX(SHA2('abc', 256)), 3, 'abc');
	INSERT INTO messages SET id = UNHEX(REPEAT('aa', 16)), route = 'support', recipient = 'support@example.test',
		received_at = NOW(3), subject = '', text_body = '', html_body = '', headers = '[]', to_json = '[]',
		cc_json = '[]', bcc_json = '[]', in_reply_to = '[]', reference_ids = '[]', defects = '[]';
	INSERT INTO attachments SET id = UNHEX(REPEAT('bb', 16)), message_id = UNHEX(REPEAT('aa', 16)), position = 0,
		name = 'a.txt', size = 3, sha256 = UNHEX(SHA2('abc', 256))"
cut_off 'one with a stored attachment'
first=3 requests 1 '"Attachments": [{"AttachmentID": "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"}]' | publish
recorded 'sent 3'
is "$(sql 'SELECT MAX(attempts) FROM outbound')" 1 'it is sent at once'
is "$(grep -c event=database "$TMP/log")" 0 'nobody was alarmed'
mailout_stop
done_testing
