#!/bin/sh
# A request that failed and was requeued is really sent; one that is requeued twice, or was sent, is not sent again.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
sent() { grep -c "$TAG $1\$" "$SINK/mails"; }
touch "$SINK/mails"

requests 1 '' 'unknown@example.test' | publish
first=2 requests 1 '' 'fine@example.test' | publish
printf '{"To": "unknown@example.test", "Subject": "%s 3", "TextBody": "no id"}\n' "$TAG" | publish
mailout_start
recorded 'failed 2,sent 1'
wait_for 30 sh -c "[ \"\$('$BUILD/tests/it/mailout_probe' count mail.dead)\" = 2 ]"
mailout_stop

# It comes back twice, as after a requeue that was killed and repeated.
ctl dead show 00000000-0000-4000-8000-000000000001 --body > "$TMP/body"
amqp-publish -u "$AMQP_URL" -e mail.dead -r mail.out.transactional < "$TMP/body"
first=2 requests 1 '' 'fine@example.test' > "$TMP/two"
amqp-publish -u "$AMQP_URL" -e mail.dead -r mail.out.transactional < "$TMP/two"
wait_for 30 sh -c "[ \"\$('$BUILD/tests/it/mailout_probe' count mail.dead)\" = 4 ]"
is "$(ctl dead requeue --all)" '4 of 4 dead letters requeued' 'requeued: a failed one twice, one without an id, and one that was sent'
: > "$TMP/log"
# The mailbox is there now.
echo known > "$SINK/mode"
mailout_start
recorded 'sent 3'
wait_for 30 is_empty mail.out.transactional
is "$(sent 1)" 1 'the failed one is sent, once'
is "$(sent 3)" 1 'so is the one without an id, which has kept the one that was drawn'
is "$(sent 2)" 1 'the one that was sent is not sent again'
await_log 'event=duplicate'
is "$(recipients_of 1)" 'unknown@example.test sent 250 2.0.0' 'and the record says so'
is "$(sql "SELECT requeued FROM outbound ORDER BY subject" | paste -sd ' ')" '1 0 1' 'with the number of the requeue'
is "$(waiting mail.dead)" 0 'nothing is given up'
mailout_stop
is "$mailout_status" 0 'exit status'
done_testing
