#!/bin/sh
# A connection that breaks between the data and the reply leaves a message in doubt: it is sent again, or held.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
probe events
requests 1 '' cut@example.test | publish
first=2 requests 5 | publish
mailout_start
recorded 'sent 6'
is "$(mail_numbers | uniq -c | tr -s ' ' | tr '\n' ,)" ' 2 1, 1 2, 1 3, 1 4, 1 5, 1 6,' 'resend: that one came twice'
is "$(events in-doubt)" 1 'resend: logged'
mailout_stop

mailout_set mailout in_doubt hold
first=11 requests 1 '' cut@example.test | publish
first=12 requests 5 | publish
mailout_start
recorded 'held 1,sent 11'
hold mail.dead 1
hold test.events 13
is "$(grep -c "$TAG 11$" "$SINK/mails")" 1 'hold: that one came once'
is "$(recipients_of 11)" 'cut@example.test in-doubt - 4.4.2' 'hold: the record says so'
like "$(probe take mail.dead)" '^attempt=1 .*key=mail.out.transactional' 'hold: a dead letter'
is "$(probe take test.events | grep '^{' | jq -r 'select(.MessageID | test("1$")) | .RecordType' | tr '\n' ' ')" \
	'Deferral Delivery Hold ' 'the events'
first=11 requests 1 '' cut@example.test | publish
hold mail.dead 1
is "$(grep -c "$TAG 11$" "$SINK/mails") $(waiting mail.dead)" '1 1' 'hold: the same request again is held, too'
mailout_stop
done_testing
