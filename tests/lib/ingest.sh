# shellcheck shell=sh disable=SC2034
# For tests of mailin-ingest; after tap.sh and use_sandbox:
#
#	ingest_setup			declares and migrates; the config is $TMP/conf, route support
#	ingest_set batch_count 5	a parameter of [ingest]
#	documents --count 3 | publish	see tests/lib/inbound-document
#	ingest_start; stored 3		start it, wait for 3 rows
#	store_slowly; store_fast	so that something is left to do, however fast the machine is
#	ingest_stop			SIGTERM; its exit status is in $ingest_status, its log in $TMP/log
#
# The functions that start with ingest_ need $BUILD/tests/it/ingest_probe.

ingest_pid=

ingest_setup() {
	sed -e '/^workers/d' -e '/^backoff_max/d' -e 's/^\[ingest\]/[ingest]\nbackoff_max = 1s/' "$CONFIG" \
		> "$TMP/conf"
	"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 ||
		die "mailctl setup: $(cat "$TMP/setup.log")"
	: > "$TMP/log"
	at_exit ingest_kill
}

ingest_set() { sed -i "s/^\[ingest\]/[ingest]\n$1 = $2/" "$TMP/conf"; }

documents() { "$TREE/tests/lib/inbound-document" "$@"; }

# One message a line.
publish() { probe publish support; }

probe() { "$BUILD/tests/it/ingest_probe" "$@"; }

# (A descriptor 4 is the test's own.)
ingest_start() {
	"$BUILD/sbin/mailin-ingest" --config "$TMP/conf" --foreground 2>> "$TMP/log" 4>&- &
	ingest_pid=$!
}

# The pids of its workers.
ingest_workers() { pgrep -P "$ingest_pid"; }

ingest_wait() {
	wait "$ingest_pid"
	ingest_status=$?
	ingest_pid=
}

ingest_stop() {
	kill -TERM "$ingest_pid"
	ingest_wait
}

# Workers end with their supervisor (PR_SET_PDEATHSIG).
ingest_kill() {
	[ -z "$ingest_pid" ] || kill -KILL "$ingest_pid" 2> /dev/null
	ingest_pid=
}

rows() { sql 'SELECT COUNT(*) FROM messages'; }

is_stored() { [ "$(rows)" -ge "$1" ]; }

# Wait until there are so many rows.
stored() { wait_for 30 is_stored "$1" || diag "only $(rows) rows: $(tail -n 5 "$TMP/log")"; }

# A mail takes so long that a test can interfere, until store_fast.
store_slowly() { sql 'CREATE TRIGGER slowly BEFORE INSERT ON messages FOR EACH ROW DO SLEEP(0.01)'; }
store_fast() { sql 'DROP TRIGGER slowly'; }

logged() { grep -Eq -- "$1" "$TMP/log"; }

# Wait for a line of the log.
await_log() { wait_for 30 logged "$1" || diag "not in the log: $1; its end: $(tail -n 5 "$TMP/log")"; }

events() { grep -c " event=$1 " "$TMP/log"; }
