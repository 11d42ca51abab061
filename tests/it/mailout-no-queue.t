#!/bin/sh
# Before mailctl setup there are no queues: mailout says so and waits, without spinning.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
plan 3
use_sandbox --only broker,database
mailout_setup
printf '\n[stream other]\n' >> "$TMP/conf"
mailout_start
await_log "no queue 'mail.out.other'"
sleep 4
ok 'few tries' test "$(grep -c 'event=consuming' "$TMP/log")" -le 8
is "$(grep -c "no queue 'mail.out.other'" "$TMP/log")" 1 'said once'
"$BUILD/bin/mailctl" --config "$TMP/conf" setup --only=amqp > "$TMP/setup.log" 2>&1
requests 3 | publish other
recorded 'sent 3' 40
is "$(mail_count)" 3 'once they are there it works'
