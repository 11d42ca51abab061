#!/bin/sh
# Several workers on one stream: each request is sent once, also when one of them is killed or all are to end
# under load, and when a request that comes twice reaches two of them.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
mailout_set mailout workers 3
mailout_set mailout batch_count 20
mailout_set smtp timeout 60s

numbers_sent() { sql "SELECT SUBSTRING_INDEX(subject, ' ', -1) FROM outbound WHERE status = 'sent'" | sort -n; }
runs() { sql 'SELECT COUNT(DISTINCT claim) FROM outbound'; }
fresh() {
	sql 'DELETE FROM outbound'
	: > "$SINK/mails"
	: > "$TMP/log"
}
# begin COUNT: with so many requests, and a server that takes its time.
begin() {
	fresh
	sink_mode 'pause 0.02'
	requests "$1" | publish
	mailout_start
}

# ---- at work ----
begin 300
recorded 'sent 300'
wait_for 30 is_empty mail.out.transactional
is "$(mailout_workers | wc -l)" 3 'three workers'
mailout_stop
is "$mailout_status" 0 'exit status'
is "$(mail_count) $(mail_numbers | uniq | wc -l)" '300 300' 'each request is sent once'
is "$(runs)" 3 'and each worker had its share'
is "$(events in-doubt) $(events duplicate)" '0 0' 'without any doubt'

# ---- one is killed ----
begin 400
delivered 60
kill -KILL "$(mailout_workers | head -n 1)"
await_log 'died of signal 9'
recorded 'sent 400' 60
wait_for 30 is_empty mail.out.transactional
mailout_stop
is "$(mail_numbers | uniq | wc -l)" 400 'one is killed: nothing is lost'
doubted=$(sed -n 's/.*00000000-0000-4000-8000-0*\([0-9]*\) event=in-doubt.*/\1/p' "$TMP/log" | sort -n)
is "$(mail_numbers | uniq -d | grep -vxFc "$doubted")" 0 'one is killed: only what is in doubt is sent twice'
# Claimed ahead, and in the windows of two sessions.
ok 'one is killed: and that is no more than it held' test "$(events in-doubt)" -le $((20 + 2 * 32))
is "$(waiting mail.out.transactional) $(waiting mail.dead)" '0 0' 'one is killed: nothing is left in a queue'

mailout_set mailout in_doubt hold
begin 400
delivered 60
kill -KILL "$(mailout_workers | head -n 1)"
await_log 'died of signal 9'
is_settled() { [ "$(sql "SELECT COUNT(*) FROM outbound WHERE status IN ('sent', 'held')")" = 400 ]; }
wait_for 60 is_settled
mailout_stop
is "$(mail_numbers | uniq -d | wc -l)" 0 'held: nothing is sent twice'
is "$(sql "SELECT COUNT(*) FROM outbound WHERE status = 'held'") $(waiting mail.dead)" \
	"$(events in-doubt) $(events in-doubt)" 'held: what is in doubt'
is "$(numbers_sent | grep -vxFc "$(mail_numbers)")" 0 'held: what is recorded as sent was sent'
probe take mail.dead > "$TMP/dead"
mailout_set mailout in_doubt resend

# ---- SIGTERM ----
begin 400
sink_mode 'pause 0.2'
delivered 60
mailout_stop
sink_mode 'pause 0.02'
is "$mailout_status" 0 'SIGTERM: exit status'
sent=$(mail_count)
ok 'SIGTERM: under load' test "$sent" -lt 400
is "$(statuses | sed 's/^deferred [0-9]*,//')" "sent $sent" 'SIGTERM: what was sent is recorded, and nothing is in doubt'
rest_waits() { [ "$(waiting mail.out.transactional)" = $((400 - sent)) ]; }
ok 'SIGTERM: the rest is in the queue' wait_for 30 rest_waits
mailout_start
recorded 'sent 400'
mailout_stop
is "$(mail_numbers | uniq | wc -l) $(mail_count)" '400 400' 'SIGTERM: and is sent by the next run, once'
is "$(events in-doubt)" 0 'SIGTERM: without any doubt'

# ---- the same request at several workers, and a server that is slower than a claim is young ----
fresh
mailout_start
wait_for 30 sh -c "[ \"\$(grep -c event=consuming $TMP/log)\" = 3 ]"
sink_mode 'pause 25'
for _ in 1 2 3; do requests 1 | publish; done
recorded 'sent 1' 60
told_twice() { [ "$(events duplicate)" = 2 ]; }
ok 'the same request three times: two are duplicates' wait_for 30 told_twice
is "$(mail_count)" 1 'and it is sent once'
is "$(events in-doubt)" 0 'and was never in doubt'
mailout_stop
done_testing
