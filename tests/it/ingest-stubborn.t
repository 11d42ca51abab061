#!/bin/sh
# The database takes everything but one message, which it would rather have later: the others of its batch
# are stored at once, that one waits in a tier and is stored when the database has changed its mind.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 19
use_sandbox --only broker,database
ingest_setup
# One batch after the other is full, so that message is never alone in one.
ingest_set batch_count 20
ingest_set batch_wait 3s
# A batch that fails is tried as a whole for as long as the first tier lasts: for longer than this test.
sed -i 's/^tiers = .*/tiers = 600s/' "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/log"
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
now() { date -u +%Y-%m-%dT%H:%M:%S.000Z; }
many() { documents "$@" --set "Mailpipe.ReceivedAt=\"$(now)\"" | publish; }

# A deadlock, each time.
stubborn() {
	sql "DELIMITER //
CREATE TRIGGER stubborn BEFORE INSERT ON messages FOR EACH ROW
IF NEW.subject = 'stubborn' THEN
	SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'not that one';
END IF//"
}
stubborn
many --count 30
many --first 31 --subject stubborn
many --first 32 --count 70
ingest_start
stored 100
await_log ' event=delayed '
is "$(rows) $(sql "SELECT COUNT(*) FROM messages WHERE subject = 'stubborn'")" '100 0' 'the others are stored'
is "$(sed -n 's/.* \([^ ]*\) event=delayed .*/\1/p' "$TMP/log")" "$(id 31)" 'that one is put off'
like "$(grep ' event=delayed ' "$TMP/log")" ' attempt=1 next=[0-9]+ .*not that one' 'with the reason'
is "$(probe count mail.in.support) $(probe count mail.retry.600s) $(probe count mail.dead)" '0 1 0' 'and waits in a tier'
many --first 102 --count 20
stored 120
is "$(events delayed)" 1 'its worker goes on'

trace "$(id 31)"
is "$? $(said '.Messages[0] | [.State, .Queue, .ReturnsTo, .Attempt] | map(tostring) | join(" ")')" \
	'0 waiting mail.retry.600s mail.in.support 2' 'trace tells where it waits'
like "$(said '.Messages[0].Conclusion')" '^waits in mail\.retry\.600s until 20[^ ]*Z for its try 2: .*not that one' 'why'
next=$(sed -n 's/.* event=delayed .* next=\([0-9]*\) .*/\1/p' "$TMP/log")
is "$(date -d "$(said '.Messages[0].NextAttempt')" +%s)" "$next" 'and until when'
is "$(sql 'SELECT id, status, attempt FROM inbound_pending_readable')" "$(id 31)	delayed	1" 'as does the table'
trace "$(id 32)"
is "$(said '.Messages[0].State')" stored 'its neighbour is stored'

sql 'DROP TRIGGER stubborn'
"$BUILD/bin/mailctl" --config "$TMP/conf" retry now > "$TMP/out" 2>&1 || diag "$(cat "$TMP/out")"
stored 121
gone() { [ "$(sql 'SELECT COUNT(*) FROM inbound_pending')" = 0 ]; }
wait_for 30 gone
ingest_stop
is "$(rows) $(sql "SELECT COUNT(*) FROM messages WHERE subject = 'stubborn'")" '121 1' 'then it is stored, too'
like "$(grep " $(id 31) event=stored " "$TMP/log")" ' attempt=2$' 'with its second try'
trace "$(id 31)"
is "$(said '.Messages[0] | .State + " " + (.Queue | tostring)')" 'stored null' 'and trace says so'
is "$(sql 'SELECT COUNT(*) FROM inbound_pending') $(probe count mail.retry.600s) $(probe count mail.dead)" '0 0 0' 'nothing is left of it'
is "$ingest_status" 0 'exit status'

# When it is the first that a worker takes, one at a time, the ones behind it wait no longer than that.
sed -i 's/^tiers = .*/tiers = 1s 600s/' "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
stubborn
: > "$TMP/log"
many --first 201 --subject stubborn
many --first 202 --count 30
ingest_start
stored 151
waits() { [ "$(probe count mail.retry.600s)" = 1 ]; }
wait_for 30 waits
is "$(rows) $(probe count mail.in.support) $(probe count mail.dead)" '151 0 0' 'alone in hand it does not hold up the others'
is "$(sed -n 's/.* \([^ ]*\) event=delayed .*/\1/p' "$TMP/log" | sort -u)" "$(id 201)" 'which are not put off'
trace "$(id 201)"
is "$(said '.Messages[0] | .State + " " + .Queue')" 'waiting mail.retry.600s' 'trace tells where it waits'
ingest_stop
is "$ingest_status" 0 'exit status'
