#!/bin/sh
# No route for the recipient: 5.1.1, whatever stands in the mail's header.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 9
use_broker

printf 'To: support@example.com\nDelivered-To: support@example.com\nX-Original-To: support@example.com\n\nx\n' \
	> "$TMP/mail"
mailin --queue-id "$QUEUE_ID" --sender ann@example.org -- nobody@example.com < "$TMP/mail"
is_result 69 '5.1.1 <nobody@example.com>: no such address here' 'unknown'
long=$(perl -e 'print "x" x 2049')
mailin --queue-id "$QUEUE_ID" --sender ann@example.org -- "$long" < "$TMP/mail"
is_result 69 "5.1.3 the recipient's address is too long" 'too long a recipient'
mailin --queue-id "$QUEUE_ID" --sender "$long" -- support@example.com < "$TMP/mail"
is_result 69 "5.1.7 the sender's address is too long" 'too long a sender'
is "$(waiting)" 0 'nothing is published'

printf 'To: nobody@example.com\n\nx\n' > "$TMP/mail"
mailin --queue-id "$QUEUE_ID" --sender ann@example.org -- support@example.com < "$TMP/mail"
is_result 0 '' 'the To: field does not matter'
