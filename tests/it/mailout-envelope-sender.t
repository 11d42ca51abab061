#!/bin/sh
# Bounces go where the request says; with an empty EnvelopeSender nothing comes back.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
mailout_set mailout envelope_sender bounces@example.test
requests 1 '"EnvelopeSender": ""' | publish
first=2 requests 1 '"EnvelopeSender": "bounces+2@example.test"' | publish
first=3 requests 1 | publish
mailout_start
recorded 'sent 3'
mailout_stop
sender_of() { grep "$TAG $1$" "$SINK/mails" | cut -f2; }
is "$(mail_count)" 3 'all are sent'
is "<$(sender_of 1)>" '<>' 'the null sender'
is "$(sender_of 2)" bounces+2@example.test 'an address'
is "$(sender_of 3)" bounces@example.test "the config's"
done_testing
