#!/bin/sh
# Each recipient has a fate of its own: only those who still wait are tried again.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
probe events
requests 1 '' 'fine@example.test, unknown@example.test, later@example.test' | publish
first=2 requests 1 '' 'unknown@example.test' | publish
first=3 requests 5 | publish
mailout_start
recorded 'failed 1,sent 6'
wait_for 30 is_empty mail.out.transactional
mailout_stop
is "$(grep "$TAG 1$" "$SINK/mails" | cut -f3)" 'fine@example.test
later@example.test' 'the second try is for the one that had to wait'
is "$(recipients_of 1)" 'fine@example.test sent 250 2.0.0
later@example.test sent 250 2.0.0
unknown@example.test failed 550 5.1.1' 'what became of each'
is "$(sql "SELECT attempts FROM outbound WHERE subject = '$TAG 1'")" 2 'two tries'
is "$(mail_numbers | uniq -c | awk '$2 > 2' | tr -s ' ' | tr '\n' ,)" ' 1 3, 1 4, 1 5, 1 6, 1 7,' 'no other message is harmed'
is "$(waiting mail.retry.300ms) $(waiting mail.retry.600ms)" '0 0' 'nothing is left in a tier'
dead=$(probe take mail.dead)
is "$(echo "$dead" | grep -c '^attempt')" 1 'the message that nobody got is a dead letter'
like "$dead" '^attempt=1 first-seen=no key=mail.out.transactional error=there is nobody of that name$' 'with the reason'
is "$(probe take test.events | grep '^{' | jq -r 'select(.MessageID | test("1$|2$")) | [.RecordType, .Recipient, .Mailpipe.Reply.Code] | join(" ")' | sort)" \
	'Bounce unknown@example.test 550
Bounce unknown@example.test 550
Deferral later@example.test 451
Delivery fine@example.test 250
Delivery later@example.test 250' 'an event for each'
done_testing
