#!/bin/sh
# SIGTERM: what is in flight is finished, recorded and acknowledged, all else stays in the queue.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
sink_mode 'pause 0.1'
requests 300 | publish
mailout_start
delivered 20
mailout_stop
is "$mailout_status" 0 'exit status'
sent=$(sql "SELECT COUNT(*) FROM outbound WHERE status = 'sent'")
is "$sent" "$(mail_count)" 'what was sent is recorded'
is "$(sql "SELECT COUNT(*) FROM outbound WHERE status = 'sending'")" 0 'nothing is in doubt'
wait_for 30 sh -c "[ \"\$($BUILD/tests/it/mailout_probe count mail.out.transactional)\" = $((300 - sent)) ]"
is "$(waiting mail.out.transactional)" $((300 - sent)) 'the rest is in the queue'
sink_mode ''
mailout_start
recorded 'sent 300'
is "$(mail_numbers | uniq | wc -l) $(mail_count)" '300 300' 'and is sent by the next run, once'
is "$(events in-doubt)" 0 'without any doubt'

# A slow server has few ahead, so that the end does not take long.
mailout_stop
sink_mode 'pause 2'
: > "$SINK/mails"
mailout_start
first=501 requests 100 | publish
delivered 6
begin=$(date +%s)
mailout_stop
ok 'a slow server: ends soon' test $(($(date +%s) - begin)) -le 20
is "$(sql "SELECT COUNT(*) FROM outbound WHERE status = 'sending'")" 0 'and nothing is in doubt'
"$SANDBOX" broker "$SANDBOX_DIR" -q purge_queue -p "$AMQP_VHOST" mail.out.transactional > /dev/null

# A second one leaves at once, though a message is in flight: the server has it, and does not answer.
mailout_set smtp timeout 100s
sink_mode 'pause 90'
rm -f "$SINK/held"
mailout_start
first=301 requests 5 | publish
wait_for 30 test -e "$SINK/held" || diag "$(tail -n 5 "$TMP/log")"
# Signals of a kind count as one until the first was seen.
state() { sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$mailout_pid/status" 2> /dev/null; }
again() {
	kill -TERM "$mailout_pid" 2> /dev/null
	[ -z "$(state)" ] || [ "$(state)" = Z ]
}
wait_for 30 again
mailout_wait
is "$mailout_status" 75 'a second signal: exit status'
done_testing
