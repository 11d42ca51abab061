#!/bin/sh
# A serial route: with several workers one of them stores, in order; when it is killed another one goes on, in order.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
use_sandbox --only broker,database
ingest_setup
ingest_set workers 3
ingest_set batch_count 20
sed -i -e '0,/^workers = 1/{/^workers = 1$/d}' -e 's/^\[route support\]/&\nserial = yes/' "$TMP/conf"
"$SANDBOX" broker "$SANDBOX_DIR" delete_queue -p "$AMQP_VHOST" mail.in.support > /dev/null 2>&1
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
# In which order rows came; what was rolled back leaves none.
sql 'CREATE TABLE came (place INT AUTO_INCREMENT PRIMARY KEY, number INT) ENGINE=InnoDB'
sql 'CREATE TRIGGER note AFTER INSERT ON messages FOR EACH ROW
	INSERT INTO came (number) VALUES (CAST(SUBSTRING(NEW.queue_id, 2) AS INT))'
came() { sql 'SELECT number FROM came ORDER BY place' | paste -sd ' '; }
# Who stored something, in order; "PID COUNT" each.
who() { sed -n 's/^mailin-ingest\[\([0-9]*\)\]: Q.* event=stored .*/\1/p' "$TMP/log" | uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/\2 \1/'; }
consumers() { "$SANDBOX" broker "$SANDBOX_DIR" list_consumers -p "$AMQP_VHOST" queue_name active | grep -c "^mail.in.support"; }
have() { [ "$(consumers)" = "$1" ]; }

ingest_start
wait_for 30 have 3 || diag "consumers: $(consumers)"
documents --count 100 | publish
stored 100
is "$(came)" "$(seq -s ' ' 100)" 'three workers: stored in order'
is "$(who | wc -l)" 1 'by one of them'

# Slowly, so that it is killed with messages in hand.
sql 'CREATE TRIGGER slowly BEFORE INSERT ON messages FOR EACH ROW DO SLEEP(0.02)'
# Rows are there a moment before the log tells who has stored them.
killed=
at_work() {
	worker=$(who | tail -n 1 | cut -d ' ' -f 1)
	[ "$worker" != "$killed" ]
}
for first in 101 161 221 281; do
	documents --first "$first" --count 60 | publish
	stored $((first + 10))
	wait_for 30 at_work
	kill -KILL "$worker"
	killed=$worker
done
documents --first 341 --count 60 | publish
stored 400
is "$(came)" "$(seq -s ' ' 400)" 'whoever has it is killed: another one goes on, in order'
is "$(who | wc -l)" 5 'each time it was another one'
settled() { [ "$(probe count mail.in.support)" = 0 ]; }
wait_for 30 settled
ingest_stop
is "$ingest_status $(probe count mail.in.support) $(probe count mail.dead)" '0 0 0' 'nothing is left, and nothing was given up'
done_testing
