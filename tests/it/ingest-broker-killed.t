#!/bin/sh
# kill -9 of the broker under load and its return: every mail that was confirmed is stored exactly once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 6
own_sandbox --only broker,database
ingest_setup
ingest_set batch_count 10
documents --count 3000 --attach 2000 | publish
store_slowly
ingest_start
stored 100
"$SANDBOX" kill "$SANDBOX_DIR" broker
before=$(rows)
ok 'it was under load' test "$before" -lt 3000
await_log 'event=broker .*no connection to RabbitMQ'
ok 'it waits' kill -0 "$(ingest_workers)"
store_fast
"$SANDBOX" up "$SANDBOX_DIR" broker
stored 3000
settled() { [ "$(probe count mail.in.support)" = 0 ]; }
wait_for 30 settled
ingest_stop
is "$(rows) $(sql 'SELECT COUNT(*) FROM attachments')" '3000 3000' 'all are stored once'
is "$(probe count mail.in.support) $(probe count mail.dead)" '0 0' 'nothing is left'
is "$(events stored)" 3000 'each was stored once'
is "$ingest_status" 0 'exit status'
