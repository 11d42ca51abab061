#!/bin/sh
# What fails for the time being goes through the tiers until retry.max_age is over.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
mailout_set retry max_age 2s
probe events
requests 1 '' 'tempfail@example.test' | publish
first=2 requests 1 '' 'tempfail@example.test, fine@example.test' | publish
mailout_start
recorded 'deferred 1,sent 1' 1 2> /dev/null
recorded 'failed 1,sent 1'
mailout_stop
is "$(grep -c "$TAG 2$" "$SINK/mails")" 1 'who got it, got it once'
is "$(recipients_of 2)" 'fine@example.test sent 250 2.0.0
tempfail@example.test failed 451 4.2.1' 'and the other one has failed'
like "$(sql "SELECT last_reply FROM outbound WHERE subject = '$TAG 1'")" \
	'^given up after [345] tries; the last reply: mailbox is busy$' 'given up, with the last reply'
dead=$(probe take mail.dead)
is "$(echo "$dead" | grep -c '^attempt=[345] first-seen=yes key=mail.out.transactional error=given up after [345] tries; the last reply: mailbox is busy$')" 2 \
	'dead letters with the reason'
is "$(echo "$dead" | grep '^{' | jq -r .MessageID | sort)" '00000000-0000-4000-8000-000000000001
00000000-0000-4000-8000-000000000002' 'and their bodies as they came'
told=$(probe take test.events | grep '^{' | jq -r 'select(.MessageID | test("1$")) | .RecordType')
is "$(echo "$told" | tail -n 1) $(echo "$told" | grep -c Bounce)" 'Bounce 1' 'an event in the end'
ok 'and before that for each try' test "$(echo "$told" | grep -c Deferral)" -ge 2
is "$(waiting mail.retry.300ms) $(waiting mail.retry.600ms) $(waiting mail.out.transactional)" '0 0 0' 'nothing is left'
done_testing
