#!/bin/sh
# Messages that kill whoever reads them, among 1,000: the others are stored, these end in mail.dead with
# the reason, within seconds and after few deaths.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
# Sanitizers do not like to be preloaded behind a shim.
nm -D "$BUILD/sbin/mailin-ingest" | grep -q __asan_init && skip_all 'built with sanitizers'
plan 12
use_sandbox --only broker,database
ingest_setup
ingest_set batch_count 50
printf '\n[notify]\nenabled = no\n' >> "$TMP/conf"
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/poison.so" "$TREE/tests/it/shim/poison.c" -ldl ||
	die 'the shim does not compile'
chmod 755 "$TMP/poison.so"
deaths() { grep -c 'died of signal 11' "$TMP/log"; }
buried() { [ "$(events dead)" -ge "$1" ]; }
start() {
	export POISON=BITTER-ALMOND LD_PRELOAD="$TMP/poison.so"
	ingest_start
	unset LD_PRELOAD
}

documents --count 600 | publish
documents --first 601 --subject BITTER-ALMOND | publish
documents --first 602 --count 399 | publish
begun=$(date +%s)
start
stored 999
wait_for 60 buried 1
diag "$(($(date +%s) - begun)) seconds, $(deaths) deaths"
ingest_stop
is "$(rows) $(sql "SELECT COUNT(*) FROM messages WHERE subject = 'BITTER-ALMOND'")" '999 0' 'one worker: 999 are stored'
is "$(deaths)" 3 'it died in a batch, then of that message alone, twice'
is "$(probe count mail.in.support) $(probe count mail.dead)" '0 1' 'the other one is in mail.dead'
like "$(probe take mail.dead)" '^key=mail.in.support .* error=2 workers died while they had it in hand, the last one of signal 11 \(Segmentation fault\)' \
	'with the reason'
# The next batch is read while one is stored: its killer may take the acknowledgement of that with it.
ok 'no more than one batch came again after it was stored' test "$(events duplicate)" -le 50
is "$ingest_status" 0 'exit status'

# Three workers, three such messages, one after the other in the queue.  Who tells the poster of a failure
# dies of it once more.
sql 'DELETE FROM messages; DELETE FROM blobs'
: > "$TMP/log"
ingest_set workers 3
sed -i 's/^enabled = no/enabled = yes/' "$TMP/conf"
sed -i '0,/^workers = 1/{/^workers = 1$/d}' "$TMP/conf"
documents --count 500 | publish
documents --first 501 --count 3 --subject BITTER-ALMOND | publish
documents --first 504 --count 497 | publish
start
stored 997
wait_for 90 buried 3
diag "$(deaths) deaths"
ingest_stop
is "$(rows)" 997 'three workers: 997 are stored'
is "$(probe count mail.in.support) $(probe count mail.dead)" '0 3' 'three are in mail.dead'
is "$(probe take mail.dead 3 | grep -c ' error=[2-4] workers died while they had it in hand')" 3 'with the reason'
# Each may be read by two workers before the supervisor has seen the first one's end.
ok 'few deaths' test "$(deaths)" -le 18
is "$(rows) $(($(events stored) + $(events duplicate)))" "$(sql 'SELECT COUNT(DISTINCT id) FROM messages') $(($(events stored) + $(events duplicate)))" \
	'each once'
is "$ingest_status" 0 'exit status'
