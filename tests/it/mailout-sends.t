#!/bin/sh
# Requests are sent, recorded, told as events and acknowledged; a request that comes twice is sent once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
probe events
requests 250 '"Tag": "t", "Metadata": {"order": "7"}' | publish
requests 50 | publish bulk
requests 20 '"Tag": "again"' | publish
mailout_start
recorded 'sent 250'
wait_for 30 is_empty mail.out.bulk
wait_for 30 is_empty mail.out.transactional
# Empty is a queue whose messages the worker holds, too.
all_told() { [ "$(events duplicate)" -ge 70 ]; }
wait_for 30 all_told
mailout_stop
is "$mailout_status" 0 'exit status'
is "$(mail_count)" 250 'each is sent once'
is "$(mail_numbers | uniq | wc -l)" 250 'and none is left out'
is "$(events duplicate)" 70 'the others are duplicates'
is "$(events sent)" 250 'a log line for each recipient'
is "$(waiting mail.out.transactional) $(waiting mail.out.bulk) $(waiting mail.dead)" '0 0 0' 'all acknowledged'
is "$(recipients_of 7)" 'to7@example.test sent 250 2.0.0' 'a recipient in the record'
is "$(sql "SELECT stream, tag, metadata, from_email, subject, attempts, last_reply, next_attempt IS NULL FROM outbound
	WHERE id = UNHEX(REPLACE('00000000-0000-4000-8000-000000000007', '-', ''))" | tr '\t' '|')" \
	"transactional|t|{\"order\":\"7\"}|shop@example.test|$TAG 7|1|queued as TEST|1" 'and the request'
events=$(probe take test.events)
is "$(echo "$events" | grep -c '^{')" 250 'an event for each'
is "$(echo "$events" | grep -A1 'key=outbound.sent' | grep '000000000007"' | jq -c '[.RecordType, .MessageID, .Recipient, .Tag,
	.Metadata.order, .MessageStream, .Details, .Mailpipe.Reply.Code, .Mailpipe.Reply.Status, .Mailpipe.Attempt]')" \
	'["Delivery","00000000-0000-4000-8000-000000000007","to7@example.test","t","7","transactional","queued as TEST",250,"2.0.0",1]' \
	'with what became of it'
like "$(cat "$TMP/log")" "^.*- 00000000-0000-4000-8000-000000000007 event=sent stream=transactional from=shop@example.test to=to7@example.test size=[0-9]+ delay=[0-9.]+ attempt=1 code=250 dsn=2.0.0 reply=\"queued as TEST\"$" \
	'the log line'
done_testing
