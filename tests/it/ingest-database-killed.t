#!/bin/sh
# kill -9 of the database under load and its return: every mail is stored exactly once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 8
own_sandbox --only broker,database
ingest_setup
ingest_set batch_count 10
ingest_set workers 2
documents --count 3000 --attach 2000 | publish
store_slowly
ingest_start
stored 100
"$SANDBOX" kill "$SANDBOX_DIR" database
await_log 'event=retry .*database error 20'
sleep 3
workers=$(ingest_workers | wc -l)
is "$workers" 2 'the workers wait'
lines=$(events retry)
ok 'without spinning' test "$lines" -le 30
is "$(events dead)" 0 'and nothing goes to mail.dead'
"$SANDBOX" up "$SANDBOX_DIR" database
before=$(rows)
store_fast
ok 'it was under load' test "$before" -lt 3000
stored 3000
settled() { [ "$(probe count mail.in.support)" = 0 ]; }
wait_for 30 settled
ingest_stop
is "$(rows) $(sql 'SELECT COUNT(*) FROM attachments') $(sql 'SELECT COUNT(*) FROM blobs')" '3000 3000 3000' \
	'all are stored once'
is "$(probe count mail.in.support) $(probe count mail.dead)" '0 0' 'nothing is left'
is "$(($(events stored) + $(events duplicate)))" 3000 'each was settled once'
is "$ingest_status" 0 'exit status'
