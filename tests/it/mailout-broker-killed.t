#!/bin/sh
# RabbitMQ is killed (-9) under load, twice: nothing is lost, and the record says what the server got.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
own_sandbox --only broker,database
mailout_setup
sink_mode 'pause 0.01'
requests 600 | publish
mailout_start
for so_far in 60 200; do
	delivered "$so_far"
	"$SANDBOX" kill "$SANDBOX_DIR" broker
	sleep 1
	"$SANDBOX" up "$SANDBOX_DIR" broker
done
recorded 'sent 600' 90
wait_for 30 is_empty mail.out.transactional
is "$(mail_numbers | uniq | wc -l)" 600 'all are sent'
is "$(mail_count)" 600 'once: the record knows what was in flight'
is "$(statuses)" 'sent 600' 'and recorded'
is "$(waiting mail.out.transactional) $(waiting mail.dead)" '0 0' 'nothing is left in a queue'
mailout_stop
is "$mailout_status" 0 'exit status'
done_testing
