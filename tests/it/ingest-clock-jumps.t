#!/bin/sh
# The clock jumps while a worker runs and messages wait in tiers (libfaketime): a week ahead nobody is given up before
# each tier was tried, a week back nobody waits for the time that has been, and each poster hears once of the delay.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/clock.sh"
clock_setup
own_sandbox --only broker,database
ingest_setup
# In the tests' time only the first tier ends by itself.
sed -i 's/^tiers = .*/tiers = 1s 600s 700s 800s\nmax_age = 1d/' "$TMP/conf"
printf '\n[notify]\nrequire_auth = no\ndelay_after = 2s\n' >> "$TMP/conf"
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
"$SANDBOX" kill "$SANDBOX_DIR" database
# mail NUMBER AGE: received so long ago.
mail() {
	documents --first "$1" --set "Mailpipe.ReceivedAt=\"$(date -u -d "$2 ago" +%Y-%m-%dT%H:%M:%S.000Z)\"" | publish
}
try_now() { ctl retry now --id="00000000-0000-8000-8000-00000000000$1" > "$TMP/moved" 2>&1 || diag "$(cat "$TMP/moved")"; }
waits() { [ "$(probe count "mail.retry.$1")" = "$2" ]; }
# delayed NUMBER ATTEMPT: it is, and lies in its tier.
delayed() { await_log "000$1 event=delayed .* attempt=$2 "; }
notices() { grep -c "000$1 event=notice kind=$2" "$TMP/log"; }

# shellcheck disable=SC2034
( clock_exec "$BUILD/sbin/mailin-ingest" --config "$TMP/conf" --foreground 2>> "$TMP/log" 4>&- ) &
ingest_pid=$!
await_log 'event=consuming'

mail 1 '1 second'
delayed 1 2
wait_for 30 waits 600s 1
is "$(notices 1 delayed) $(events dead)" '1 0' 'an outage: its poster hears that it is late'
clock_set +7d
try_now 1
delayed 1 3
wait_for 30 waits 700s 1
is "$(events dead)" 0 'the clock is a week ahead: it is not given up'
next=$(grep '0001 event=delayed .* attempt=3 ' "$TMP/log" | sed 's/.* next=\([0-9]*\) .*/\1/')
week=$((7 * 86400))
at=$(($(date +%s) + week))
ok 'it is tried again by the new clock' test "$next" -ge $((at + 500)) -a "$next" -le $((at + 700))
try_now 1
delayed 1 4
try_now 1
await_log '0001 event=dead '
like "$(grep '0001 event=dead' "$TMP/log")" 'given up after 5 tries' 'but it is when it was tried after each tier'
is "$(notices 1 delayed) $(notices 1 failed)" '1 1' 'of each its poster hears once'

mail 2 '1 second'
delayed 2 2
is "$(notices 2 delayed) $(events dead)" '1 1' 'a mail that seems to be a week old is delayed, and its poster told'
clock_set -7d
try_now 2
delayed 2 3
wait_for 30 waits 700s 1
next=$(grep '0002 event=delayed .* attempt=3 ' "$TMP/log" | sed 's/.* next=\([0-9]*\) .*/\1/')
at=$(($(date +%s) - week))
ok 'a week back: it is tried again by the new clock' test "$next" -ge $((at + 500)) -a "$next" -le $((at + 700))
# Seen in what is the future now; a head is held until its notice is due, not for a week.
mail 3 '0 seconds'
delayed 3 2
wait_for 30 waits 600s 1
is "$(notices 3 delayed)" 1 'who posts now hears of the delay in time'
is "$(events dead)" 1 'and nobody is given up'
seen=$(probe take mail.retry.700s | sed -n 's/^key.*first_seen=\([0-9]*\) .*/\1/p')
ok 'in the tier nothing was seen in the future' test "$seen" -le $(($(date +%s) - week))

clock_set +0
"$SANDBOX" up "$SANDBOX_DIR" database
mail 4 '1 second'
stored 1
try_now 3
stored 2
ingest_stop
is "$ingest_status $(sql 'SELECT GROUP_CONCAT(RIGHT(HEX(id), 1) ORDER BY id) FROM messages')" '0 3,4' \
	'the database is back: they are stored'
done_testing
