#!/bin/sh
# With the SMTP server away requests wait where they are for a while; nothing is lost, nothing is sent twice.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
sed -i 's/^tiers = .*/tiers = 20s 30s/' "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup --only=amqp > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
sink_stop
requests 300 | publish
mailout_start
await_log 'the SMTP server takes nothing'
sleep 2
ok 'hardly more than those that probe are claimed' test "$(sql "SELECT COUNT(*) FROM outbound WHERE status = 'sending'")" -le 2
is "$(waiting mail.retry.20s)" 0 'and none went to a tier'
sink_restart
recorded 'sent 300'
is "$(mail_numbers | uniq | wc -l) $(mail_count)" '300 300' 'all are sent, once'
is "$(sql 'SELECT MAX(attempts) FROM outbound')" 1 'in one try'
is "$(grep -c 'the SMTP server takes nothing' "$TMP/log") $(grep -c 'takes messages again' "$TMP/log")" '1 1' 'said once'

# Longer than the first tier's pause: they go there.
sed -i 's/^tiers = .*/tiers = 3s 6s/' "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup --only=amqp > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
mailout_stop
mailout_start
sink_mode 421
first=301 requests 50 | publish
ok 'after a while they wait in a tier' wait_for 30 statuses_are 'deferred 50,sent 300'
sink_mode ''
recorded 'sent 350'
is "$(mail_numbers | uniq | wc -l) $(mail_count)" '350 350' 'and come back from there'
mailout_stop
is "$mailout_status" 0 'exit status'
done_testing
