#!/bin/sh
# A notice that could not be published, or that the limits did not allow, is made up for: once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
own_sandbox --only broker,database
ingest_setup
sed -i 's/^tiers = .*/tiers = 300ms 600s/' "$TMP/conf"
cat >> "$TMP/conf" <<END

[notify]
require_auth = no
delay_after = 1s
per_hour = 2
END
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
setup() { ctl setup "$@" > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"; }
setup
now() { date -u -d '2 seconds ago' +%Y-%m-%dT%H:%M:%S.000Z; }
mail() { documents --first "$1" --set "Mailpipe.ReceivedAt=\"$(now)\"" --set "Mailpipe.Envelope.Sender=\"$1@example.net\"" | publish; }
told() { grep -c "000$1 event=notice kind=$2" "$TMP/log"; }
failures() { grep -c ' - - event=notice ' "$TMP/log"; }
notices() { probe count mail.out.transactional; }
tiers_are() { [ "$(probe count mail.retry.300ms) $(probe count mail.retry.600s)" = "$1" ]; }
are_dead() { [ "$(probe count mail.dead)" = "$1" ]; }
drop_outbound() { "$SANDBOX" broker "$SANDBOX_DIR" delete_queue -p "$AMQP_VHOST" mail.out.transactional > "$TMP/dropped" 2>&1; }

# The limits: 2 of 3, in an hour.
within_the_hour 60
"$SANDBOX" kill "$SANDBOX_DIR" database
ingest_start
for number in 1 2 3; do mail "$number"; done
wait_for 60 tiers_are '0 3'
is "$(notices) $(told 1 delayed) $(told 2 delayed) $(told 3 delayed)" '2 1 1 0' 'beyond the limit nobody is told'
like "$(grep 'event=no-notice' "$TMP/log")" '0003 event=no-notice kind=delayed why=limit$' 'the log says why'
ingest_stop
sed -i 's/^per_hour = .*/per_hour = 100/' "$TMP/conf"
ingest_start
ctl retry now > "$TMP/moved"
await_log '0003 event=notice kind=delayed'
wait_for 60 tiers_are '0 3'
ctl retry now > "$TMP/moved"
await_log '0003 event=delayed .* attempt=4 '
wait_for 60 tiers_are '0 3'
is "$(notices) $(told 1 delayed) $(told 2 delayed) $(told 3 delayed)" '3 1 1 1' 'when it is tried again, it is told, once'

# Nobody takes it: the message waits for three tries, then it goes on.
drop_outbound
mail 4
wait_for 60 tiers_are '0 4'
is "$(failures) $(told 4 delayed)" '6 0' 'three tries, in each tier: the message is not held up'
documents --first 5 --delete Mailpipe.Envelope.Size --set Subject=5 | publish
wait_for 60 are_dead 1
is "$(failures) $(told 5 failed)" '9 0' 'a dead letter has three, too'
setup --only=amqp
ctl retry now > "$TMP/moved"
await_log '0004 event=notice kind=delayed'
wait_for 60 tiers_are '0 4'
is "$(notices) $(told 4 delayed)" '1 1' 'what is still in our hands is told when it can be'

# While it is in a worker's hands: as soon as it can be.
drop_outbound
documents --first 6 --set Subject=6 | publish
more() { [ "$(failures)" -gt 9 ]; }
wait_for 60 more
setup --only=amqp
ok 'a dead letter waits for its notice, but not for ever' wait_for 60 are_dead 2
"$SANDBOX" up "$SANDBOX_DIR" database
all_now() { ctl retry now && is_stored 4; }
wait_for 60 all_now
ingest_stop
is "$(rows) $(probe count mail.dead)" '4 2' 'all are stored'
done_testing
