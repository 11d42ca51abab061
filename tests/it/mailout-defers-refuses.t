#!/bin/sh
# The SMTP server puts a mail off, twice, and then refuses it; mailctl trace tells the truth at each stage, also when it
# is requeued and sent at last.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 25
use_sandbox --only broker,database
mailout_setup
mailout_set retry tiers '600s 1200s'
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup --only=amqp > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/log"
: > "$SINK/mails"
id=00000000-0000-4000-8000-000000000001
in_tier() { [ "$(waiting "$1")" = 1 ]; }
# The steps as one source has them.
steps() { said "[.Messages[0].Events[] | select(.Source == \"$1\") | .Event] | join(\" \")"; }
replies() { said '.Messages[0].Events[] | select(.Source == "database") | .Text' | grep '^to '; }

begun=$(date +%s)
requests 1 '' 'moody@example.test' | publish
trace "$id"
is "$(said '.Messages | length')" 0 'before a worker has seen it nobody knows of it'
sink_mode 'moody 451 4.7.1 greylisted, come back later'
mailout_start
wait_for 30 in_tier mail.retry.600s || diag "$(tail -n 5 "$TMP/log")"
await_log ' event=deferred .* attempt=1'
trace "$id"
is "$(said '.Messages[0] | [.State, .Queue, .ReturnsTo, .Attempt] | map(tostring) | join(" ")')" \
	'waiting mail.retry.600s mail.out.transactional 2' 'put off: it waits for its second try'
is "$(said '.Messages[0].Conclusion' | sed 's/ 20[^ ]*Z,/ TIME,/')" \
	'deferred until TIME, in a retry tier: greylisted, come back later' 'with the reason'
next=$(date -d "$(said '.Messages[0].NextAttempt')" +%s)
ok 'and until when' test "$next" -ge $((begun + 600)) -a "$next" -le $(($(date +%s) + 600))
is "$(replies)" 'to moody@example.test: 451 4.7.1 greylisted, come back later' 'and what the server said'

sink_mode 'moody 450 4.2.2 the mailbox is full'
is "$(ctl retry now)" '1 of 1 waiting messages are tried now' 'an operator lets it be tried at once'
wait_for 30 in_tier mail.retry.1200s || diag "$(tail -n 5 "$TMP/log")"
await_log ' event=deferred .* attempt=2'
trace "$id"
is "$(said '.Messages[0] | [.State, .Queue, .Attempt] | map(tostring) | join(" ")')" 'waiting mail.retry.1200s 3' \
	'put off again: it waits for its third try'
like "$(said '.Messages[0].Conclusion')" ', in a retry tier: the mailbox is full$' 'with the new reason'
later=$(date -d "$(said '.Messages[0].NextAttempt')" +%s)
ok 'and the new time' test "$later" -ge $((begun + 1200)) -a "$later" -le $(($(date +%s) + 1200))
is "$(replies)" 'to moody@example.test: 450 4.2.2 the mailbox is full' 'the record has the last reply'
is "$(said '.Messages[0].Events[] | select(.Source == "log") | .Text' | sed 's/.* attempt=/attempt=/')" \
	'attempt=1 code=451 dsn=4.7.1 reply="greylisted, come back later"
attempt=2 code=450 dsn=4.2.2 reply="the mailbox is full"' 'the log has both'

sink_mode 'moody 550 5.7.1 we do not want that'
is "$(ctl retry now)" '1 of 1 waiting messages are tried now' 'once more'
wait_for 30 in_tier mail.dead || diag "$(tail -n 5 "$TMP/log")"
await_log ' event=failed '
recorded 'failed 1'
trace "$id"
is "$(said '.Messages[0] | [.State, .Queue, .ReturnsTo, .NextAttempt] | map(tostring) | join(" ")')" \
	'failed mail.dead mail.out.transactional null' 'refused: it has failed'
is "$(said '.Messages[0].Conclusion')" 'failed: we do not want that; it lies in mail.dead' "with the server's words"
is "$(replies)" 'to moody@example.test: 550 5.7.1 we do not want that' 'and codes'
is "$(steps log)" 'deferred deferred failed' 'its whole life'
is "$(ctl dead list --json | jq -r '.Messages[] | .MessageID + ": " + .Reason')" "$id: we do not want that" \
	'the dead letter says the same'
is "$(mail_count)" 0 'nothing was sent'

sink_mode 'moody 250 2.1.5 well then'
is "$(ctl dead requeue --all)" '1 of 1 dead letters requeued' 'requeued'
recorded 'sent 1'
await_log ' event=sent '
wait_for 30 is_empty mail.out.transactional
trace "$id"
is "$(said '.Messages[0] | [.State, .Queue, .NextAttempt] | map(tostring) | join(" ")')" 'sent null null' 'taken: it is sent'
is "$(said '.Messages[0].Conclusion')" 'the SMTP server took it: queued as TEST' 'as the server said'
is "$(replies)" 'to moody@example.test: 250 2.0.0 queued as TEST' 'to its recipient'
is "$(steps log)" 'deferred deferred failed sent' 'its whole life'
is "$(mail_count) $(waiting mail.dead)" '1 0' 'once'
mailout_stop
is "$mailout_status" 0 'exit status'
