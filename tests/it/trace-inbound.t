#!/bin/sh
# mailctl trace of inbound messages that are not stored: dead letters, waiting ones, published ones.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 24
use_sandbox --only broker,database
ingest_setup
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
# A tier that nothing leaves while this test runs.
sed -i 's/^tiers = .*/& 1h/' "$TMP/conf"
ctl setup --only=amqp > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/mail.log"
: > "$TMP/mail.log"
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }

documents --set 'Mailpipe.Envelope.QueueID="4jXYmb6zpbz1bqXX"' --set Subject=5 | publish
documents --first 2 --set 'Mailpipe.Envelope.QueueID="4jXYmb6zpbz1bqYY"' | publish
ingest_start
stored 1
await_log 'event=dead'
ingest_stop

trace "$(id 1)"
is "$? $(said '.Messages[0] | .Direction + " " + .State')" '0 inbound dead' 'a dead letter'
like "$(said '.Messages[0].Conclusion')" '^given up, it lies in mail.dead: Subject is of type integer, not string$' 'why'
is "$(said '.Messages[0] | [.Queue, .ReturnsTo, .MessageStream] | join(" ")')" 'mail.dead mail.in.support support' 'and from where'
trace 4jXYmb6zpbz1bqXX
is "$(said '.Messages[0].MessageID')" "$(id 1)" 'by its queue id'
trace '<1@example.net>'
is "$(said '.Messages[0].MessageID')" "$(id 1)" 'by its Message-ID'
trace --limit=50 ann@example.net
is "$(said '[.Messages[] | .MessageID + " " + .State] | sort | join(", ")')" "$(id 1) dead, $(id 2) stored" \
	'by an address, beside one that is stored'

# mailin has logged that it published it, and nobody has stored it yet.
documents --first 3 --set 'Mailpipe.Envelope.QueueID="4jXYmb6zpbz1bqZZ"' | publish
echo "$(date '+%b %e %T') mail mailin[7]: 4jXYmb6zpbz1bqZZ $(id 3) event=published route=support from=a@b.test to=support@example.com size=9 delay=0.1" >> "$TMP/mail.log"
# RabbitMQ learns of a consumer's end a little later.
left() { trace "$(id "$1")" && said '.Messages[0].Conclusion' | grep -q '0 consumers'; }
wait_for 30 left 3
is "$(said '.Messages[0].State')" queued 'one that was published and not stored'
like "$(said '.Messages[0].Conclusion')" 'it waits in mail.in.[a-z]* \(1 messages wait, 0 consumers\)|it waits in its queue' 'waits in its queue'
is "$(said '.Messages[0].Events | length')" 1 'its queue is not looked into'
is "$(probe count mail.in.support)" 1 'and it is still there'

# One in a tier, as mailin-ingest puts it there while the database is away.
next=$(($(date +%s) + 3600))000
documents --first 4 | "$BUILD/tests/it/trace_probe" 1h mail.in.support "$(id 4)" "$next" 'database away'
trace "$(id 4)"
is "$(said '.Messages[0] | .Direction + " " + .State')" 'inbound waiting' 'one in a tier'
is "$(said '.Messages[0] | [.Queue, .ReturnsTo, .Attempt, .LastError] | map(tostring) | join(" ")')" \
	'mail.retry.1h mail.in.support 2 database away' 'where, for what and why'
is "$(date -d "$(said '.Messages[0].NextAttempt')" +%s)000" "$next" 'until when'
like "$(said '.Messages[0].Conclusion')" '^waits in mail.retry.1h until 20.*Z for its try 2: database away$' 'in a sentence'
is "$(said '.Messages[0].To')" support@example.com 'for whom'

# A notice about it is a step of its life: its id is computed from the message's.
notice=$("$BUILD/tests/it/trace_probe" notice "$(id 4)")
sql "INSERT INTO outbound (id, stream, template, metadata, status, attempts, last_reply)
	VALUES (UNHEX(REPLACE('$notice', '-', '')), 'transactional', 'post-delayed', '{}', 'sent', 1, 'Ok')"
trace "$(id 4)"
is "$(said '[.Messages[0].Events[] | select(.Event == "notice") | .Text] | join("")')" "post-delayed, $notice: sent: Ok" 'its notice'
trace "$notice"
is "$(said '.Messages[0] | .Direction + " " + .State')" 'outbound sent' 'which is a mail of its own, too'

# Stored, and still there once more: a worker was killed between COMMIT and ack.
documents --first 2 --set 'Mailpipe.Envelope.QueueID="4jXYmb6zpbz1bqYY"' |
	"$BUILD/tests/it/trace_probe" 1h mail.in.support "$(id 2)" "$next" 'again'
trace "$(id 2)"
is "$(said '.Messages[0].State')" stored 'stored and in a tier as well'
like "$(said '.Messages[0].Conclusion')" 'another copy of it waits in a retry tier' 'is told'

# What inbound_pending has counts while the broker does not tell.
sql "INSERT INTO inbound_pending (id, route, status, attempt, first_seen, next_attempt, reason, updated_at)
	VALUES (UNHEX(REPLACE('$(id 9)', '-', '')), 'support', 'delayed', 3, NOW(3), '2030-01-02 03:04:05', 'no luck', NOW(3))"
trace "$(id 9)"
is "$(said '[.Messages[0].Events[].Event] | sort | join(" ")')" 'delayed published' 'inbound_pending is read'

# A dead letter that an operator requeued, and one that was dropped: nobody tells which it was.
gone='it was given up, and is not in mail.dead any more: it was dropped, or requeued and waits in mail.in.support'
are_dead() { [ "$(probe count mail.dead)" = "$1" ]; }
documents --first 5 --set Subject=5 | tr -d '\n' | probe give support "$(id 5)"
ingest_start
wait_for 30 are_dead 2
pending() { [ "$(sql "SELECT COUNT(*) FROM inbound_pending WHERE status = 'failed'")" = 1 ]; }
wait_for 30 pending
ingest_stop
is "$(ctl dead requeue --id="$(id 5)")" '1 of 2 dead letters requeued' 'requeued'
wait_for 30 left 5
is "$(said '.Messages[0] | .State + ": " + .Conclusion')" "unknown: $gone (1 messages wait, 0 consumers) or a worker has it in hand" \
	'trace claims no more than it knows'
ingest_start
wait_for 30 are_dead 2
ingest_stop
trace "$(id 5)"
is "$(said '.Messages[0] | .State + " " + .Queue')" 'dead mail.dead' 'given up again'
ctl dead drop --all --yes > "$TMP/out" 2>&1 || diag "$(cat "$TMP/out")"
wait_for 30 left 5
is "$(said '.Messages[0].Conclusion')" "$gone (0 messages wait, 0 consumers) or a worker has it in hand" 'dropped'
