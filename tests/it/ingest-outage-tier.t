#!/bin/sh
# While the database is away no message goes to a tier beyond retry.away_max, so that it is stored soon after; but only
# so many, lest a long queue goes round and round.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
own_sandbox --only broker,database
ingest_setup
sed -i 's/^tiers = .*/tiers = 300ms 2d\naway_max = 1d/' "$TMP/conf"
printf '\n[notify]\nenabled = no\ndelay_after = 1s\n' >> "$TMP/conf"
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
counts() { echo "$(probe count mail.in.support) $(probe count mail.retry.300ms) $(probe count mail.retry.2d)"; }
counts_are() { [ "$(counts)" = "$1" ]; }
now() { date -u -d '2 seconds ago' +%Y-%m-%dT%H:%M:%S.000Z; }

"$SANDBOX" kill "$SANDBOX_DIR" database
documents --set "Mailpipe.ReceivedAt=\"$(now)\"" | publish
ingest_start
await_log '0001 event=delayed .* attempt=4 '
is "$(probe count mail.retry.2d)" 0 'tried again and again, it stays in the short tier'
"$SANDBOX" up "$SANDBOX_DIR" database
stored 1
is "$(rows)" 1 'and is stored when the database is back'
ingest_stop

# In a day a worker has 1,000 of that: each of these has its first tier, and when that is used up its second.
"$SANDBOX" kill "$SANDBOX_DIR" database
: > "$TMP/log"
documents --first 1001 --count 100 --set "Mailpipe.ReceivedAt=\"$(now)\"" | publish
ingest_start
wait_for 120 counts_are '0 0 100' || diag "$(counts)"
is "$(counts)" '0 0 100' 'in the end all wait in their tier'
is "$(events delayed)" 1200 'after a thousand shorter waits'
"$SANDBOX" up "$SANDBOX_DIR" database
all_now() { ctl retry now && is_stored 101; }
wait_for 60 all_now
ingest_stop
is "$(rows) $(counts)" '101 0 0 0' 'mailctl retry now brings them back at once'
done_testing
