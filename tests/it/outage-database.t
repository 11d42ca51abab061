#!/bin/sh
# The database is away for a while under load: all is stored afterwards, once, and each poster whose mail waited
# for longer than notify.delay_after, and nobody else, hears of it, once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 22
own_sandbox --only broker,database
mailout_setup
notice_setup
notice_set delay_after 30m
notice_set per_hour 30000
notice_set per_address_per_day 100
sed -i -e '/^workers = 1$/d' -e '/^backoff_max/d' -e 's/^\[ingest\]/[ingest]\nbackoff_max = 1s\nworkers = 2\nbatch_count = 20/' "$TMP/conf"
mailout_set retry tiers '2s 600s'
mailout_set mysql timeout 60s
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/mail.log --log=$TMP/ingest.log --log=$TMP/log"
: > "$TMP/mail.log"
: > "$SINK/mails"

# As mailin logs it.
published() {
	echo "$(date '+%b %e %T') mail mailin[7]: Q$1 $(id "$1") event=published route=support from=poster$1@x.example to=support@example.test size=9 delay=0.1" >> "$TMP/mail.log"
}
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
told() { awk -F '\t' '$5 == "Your mail is delayed: " subject { print $3 }' subject="$1" "$SINK/mails" | sort; }
wanted() { seq -f 'poster%.0f@x.example' "$1" "$2" | sort; }
rows() { sql 'SELECT COUNT(*) FROM messages'; }
rows_are() { [ "$(rows)" = "$1" ]; }
stored() { wait_for 60 rows_are "$1" || diag "$(rows) rows, not $1: $(tail -n 5 "$TMP/ingest.log")"; }

ingest_pid=
ingest_kill() { [ -z "$ingest_pid" ] || kill -KILL "$ingest_pid" 2> /dev/null; }
at_exit ingest_kill
# No late mail is stored before the database goes: whoever inserts one sleeps while there is a
# row in a table that does not survive.
sql "CREATE TABLE hold (it INT) ENGINE = MEMORY; INSERT INTO hold VALUES (1)"
sql "CREATE TRIGGER holding BEFORE INSERT ON messages FOR EACH ROW
	DO (SELECT SLEEP(600) FROM hold WHERE NEW.subject = 'late')"
"$BUILD/sbin/mailin-ingest" --config "$TMP/conf" --foreground 2>> "$TMP/ingest.log" 4>&- &
ingest_pid=$!
mailout_start
posters 1 200 3600 early | arrive
stored 200
begun=$(date +%s)
posters 1001 200 3600 late | arrive
# Their half hour is over in some seconds.
posters 1201 150 1795 late | arrive
published 1001
sleeping() { [ "$(sql "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'")" = 2 ]; }
ok 'two workers have a batch in hand' wait_for 60 sleeping
is "$(mail_count)" 0 'nobody was told of a delay, for there was none'
trace "$(id 1001)"
is "$(said '.Messages[0].State')" queued 'trace: what is in hand is queued'

"$SANDBOX" kill "$SANDBOX_DIR" database
delivered 350 120
tiers_hold() { [ "$(waiting mail.retry.600s)" = "$1" ]; }
wait_for 60 tiers_hold 350 || diag "in the tier: $(waiting mail.retry.600s)"
is "$(waiting mail.retry.600s) $(waiting mail.in.support)" '350 0' 'all wait in a tier'
is "$(told late)" "$(wanted 1001 1350)" 'the poster of each has heard of it, once'
is "$(mail_count)" 350 'and nobody else'
# A tier of two seconds would have ended too late: then a notice may come so much earlier.  (Times are whole
# seconds here and there.)
soon=$(awk -F '\t' -v due=$((begun + 2)) '$1 < due { print $3 }' "$SINK/mails" | grep -c 'poster1[23]')
is "$soon" 0 'none before its time'

trace "$(id 1001)"
is "$(said '.Messages[0] | [.State, .Queue, .ReturnsTo, .Attempt] | map(tostring) | join(" ")')" \
	'waiting mail.retry.600s mail.in.support 3' 'trace: it waits, for which try'
is "$(date -d "$(said '.Messages[0].NextAttempt')" +%s)" \
	"$(sed -n "s/.* $(id 1001) event=delayed .* attempt=2 next=\([0-9]*\) .*/\1/p" "$TMP/ingest.log")" 'until when'
like "$(said '.Messages[0].Conclusion')" '^waits in .* for its try 3: .*database error 2002: ' 'why'
is "$(said '[.Messages[0].Events[] | select(.Event == "notice" and .Source == "broker") | .Text] | join("")')" \
	'the sender was told of the delay' 'and that its poster knows'
like "$(said '[.Messages[0].Events[] | select(.Event == "notice" and .Source == "log") | .Text] | join("\n")')" \
	'^event=sent .* to=poster1001@x.example ' 'for the notice was sent'
like "$(said '.NotLookedAt | join("\n")')" '^database: ' 'the database could not be asked'

# Fresh ones, of which nobody needs to hear.
posters 2001 30 0 fresh | arrive
published 2001
trace "$(id 2001)"
like "$(said '.Messages[0] | .State + ": " + .Conclusion')" '^unknown: .* for the database could not be looked at$' \
	'trace: of one in the queue it cannot tell more'

"$SANDBOX" up "$SANDBOX_DIR" database
stored 230
is "$(ctl retry now | grep -c 350)" 1 'an operator brings them back'
stored 580
settled() { is_empty mail.in.support && is_empty mail.out.transactional && [ "$(sql 'SELECT COUNT(*) FROM inbound_pending')" = 0 ]; }
wait_for 60 settled
recorded 'sent 350' 60
kill -TERM "$ingest_pid"
wait "$ingest_pid"
is "$?" 0 'mailin-ingest ends well'
ingest_pid=
mailout_stop
is "$(rows) $(grep -c ' event=stored ' "$TMP/ingest.log")" '580 580' 'all are stored, once'
is "$(mail_count)" 350 'nobody was told anything more'
is "$(waiting mail.in.support) $(waiting mail.retry.2s) $(waiting mail.retry.600s) $(waiting mail.dead)" '0 0 0 0' 'nothing is left'
trace "$(id 1001)"
is "$(said '.Messages[0] | .State + " " + (.Queue | tostring)')" 'stored null' 'trace: it is stored'
is "$(said '[.Messages[0].Events[] | select(.Event == "notice" and .Source == "database") | .Text] | length')" 1 'after a notice'
trace "$(id 2001)"
is "$(said '.Messages[0].State') $(said '[.Messages[0].Events[] | select(.Event == "notice")] | length')" 'stored 0' 'or without one'
