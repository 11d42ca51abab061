#!/bin/sh
# Without the database: best-effort sends on, says so once and records later; required waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
own_sandbox --only broker,database
mailout_setup
mailout_start
requests 5 | publish
recorded 'sent 5'
"$SANDBOX" kill "$SANDBOX_DIR" database
first=6 requests 200 | publish
delivered 205
wait_for 30 is_empty mail.out.transactional
is "$(mail_count) $(mail_numbers | uniq | wc -l)" '205 205' 'best-effort: all are sent'
first=6 requests 20 | publish
await_log 'event=duplicate'
wait_for 30 is_empty mail.out.transactional
is "$(mail_count)" 205 'best-effort: what was sent without a record is known all the same'
is "$(grep -c 'away: mail is sent on without a record' "$TMP/log")" 1 'best-effort: said once'
"$SANDBOX" up "$SANDBOX_DIR" database
recorded 'sent 205' 60
is "$(statuses)" 'sent 205' 'best-effort: recorded when the database is back'
is "$(sql 'SELECT COUNT(*) FROM outbound_recipients')" 205 'with the recipients'
await_log 'event=database text="back; '
like "$(cat "$TMP/log")" 'event=database text="back; 200 results were kept"' 'and logged'
mailout_stop
is "$mailout_status" 0 'exit status'

mailout_set mailout record required
mailout_start
first=301 requests 5 | publish
recorded 'sent 210'
"$SANDBOX" kill "$SANDBOX_DIR" database
first=306 requests 50 | publish
sleep 3
is "$(mail_count)" 210 'required: nothing is sent'
ticks() { awk '{ print $14 + $15 }' "/proc/$(mailout_workers | head -n 1)/stat"; }
before=$(ticks)
sleep 2
ok 'required: and nothing spins' test $(($(ticks) - before)) -lt 20
"$SANDBOX" up "$SANDBOX_DIR" database
recorded 'sent 260' 60
is "$(mail_count) $(mail_numbers | uniq | wc -l)" '260 260' 'required: all are sent when it is back'
mailout_stop
is "$mailout_status" 0 'exit status'
done_testing
