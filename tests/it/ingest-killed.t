#!/bin/sh
# kill -9 of a worker before COMMIT, after COMMIT and before the ack: each mail is there exactly once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
# Sanitizers do not like to be preloaded behind a shim.
nm -D "$BUILD/sbin/mailin-ingest" | grep -q __asan_init && skip_all 'built with sanitizers'
plan 18
use_sandbox --only broker,database
ingest_setup
ingest_set batch_count 50
ingest_set batch_wait 3s
# shellcheck disable=SC2046
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/die.so" "$TREE/tests/it/shim/die.c" \
	$(pkg-config --cflags librabbitmq libmariadb) -ldl || die 'the shim does not compile'
chmod 755 "$TMP/die.so"

# killed PLACE ROWS-AFTERWARDS EVENTS-OF-DUPLICATES
killed() {
	sql 'DELETE FROM messages; DELETE FROM blobs'
	: > "$TMP/log"
	: > "$TMP/once"
	documents --count 120 --attach 1000 --attach 20000:logo | publish
	# The first mail is stored alone, the second call is for a batch.
	export DIE_AT="$1" DIE_CALL=2 DIE_ONCE="$TMP/once" LD_PRELOAD="$TMP/die.so"
	ingest_start
	unset LD_PRELOAD
	stored 120
	settled() { [ $(($(events stored) + $(events duplicate))) -ge "$2" ]; }
	wait_for 30 settled "$1" "$2"
	ingest_stop
	is "$(grep -c 'died of signal 9' "$TMP/log")" 1 "$1: a worker was killed"
	is "$(rows) $(sql 'SELECT COUNT(*) FROM attachments')" '120 240' "$1: all are there once"
	is "$(events duplicate)" "$3" "$1: what had been stored before came as duplicates"
	is "$(probe count mail.in.support)" 0 "$1: nothing is left in the queue"
	is "$(probe count mail.dead)" 0 "$1: and nothing is in mail.dead"
	is "$ingest_status" 0 "$1: exit status"
}
killed commit 120 0
killed committed 120 50
killed ack 170 50
