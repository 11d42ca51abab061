#!/bin/sh
# What is no request goes to mail.dead with the reason; the others do not suffer.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
probe events
{
	requests 20
	echo 'this is not JSON'
	echo '{"MessageID": "00000000-0000-4000-8000-000000000100", "Subject": "to nobody", "TextBody": "x"}'
	echo '{"MessageID": "00000000-0000-4000-8000-000000000101", "To": "a@example.test", "TemplateAlias": "no-such-template", "TemplateModel": {}}'
	first=21 requests 20
} | publish
mailout_start
recorded 'failed 1,sent 40'
hold mail.dead 3
hold test.events 43
is "$(mail_numbers | uniq | wc -l) $(mail_count)" '40 40' 'the good ones are sent'
dead=$(probe take mail.dead)
is "$(echo "$dead" | grep -c '^attempt=')" 3 'the bad ones are dead letters'
is "$(echo "$dead" | grep -c '^this is not JSON$')" 1 'as they came'
like "$dead" 'key=mail.out.transactional error=.*no-such-template' 'with the reason'
is "$(recipients_of 101)" 'a@example.test failed - 5.6.0' 'one that could be read is recorded'
told=$(probe take test.events | grep '^{' | jq -c 'select(.RecordType == "Bounce") | [.MessageID[-3:], .Recipient]' | sort)
like "$told" '^\["101","a@example.test"\]$' 'an event for it'
is "$(echo "$told" | wc -l)" 3 'and for the others'
mailout_stop
done_testing
