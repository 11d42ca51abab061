#!/bin/sh
# While the database is away the broker's heartbeats are served, and the mail that came meanwhile is stored
# later, with deliveries that are still valid.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 4
own_sandbox --only broker,database
ingest_setup
ingest_set batch_count 10
sed -i 's/^tiers = .*/tiers = 1m/' "$TMP/conf"
# Two mails: it stops reading soon and only sends heartbeats.
ingest_set batch_bytes 64K
sed -i 's/^\[amqp\]/[amqp]\nheartbeat = 2s/' "$TMP/conf"
documents --count 10 | publish
ingest_start
stored 10
"$SANDBOX" kill "$SANDBOX_DIR" database
documents --first 11 --count 40 --attach 30000 | publish
# Three heartbeats' time: RabbitMQ would have closed the connection after two.
sleep 7
is "$(events broker)" 0 'the connection to the broker lives'
is "$(probe count mail.in.support)" 20 'a batch in hand and one waiting; the rest is in the queue'
documents --first 51 | publish
"$SANDBOX" up "$SANDBOX_DIR" database
stored 51
ingest_stop
is "$(rows) $(events stored) $(events duplicate) $(probe count mail.in.support)" '51 51 0 0' 'all are stored, none twice'
# And with the database away again, SIGTERM does not wait for it.
"$SANDBOX" kill "$SANDBOX_DIR" database
: > "$TMP/log"
ingest_start
await_log 'event=database '
ingest_stop
is "$ingest_status" 0 'SIGTERM ends it while the database is away'
