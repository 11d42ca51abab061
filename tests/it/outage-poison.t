#!/bin/sh
# One message among 1,000 kills each worker that stores it: 999 are stored, it is a dead letter with the reason, its
# poster gets one notice and the operator one alert; when the fault is mended and it is requeued, it is stored.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/watch.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
. "$(dirname "$0")/../lib/trace.sh"
# Sanitizers do not like to be preloaded behind a shim.
nm -D "$BUILD/sbin/mailin-ingest" | grep -q __asan_init && skip_all 'built with sanitizers'
plan 19
use_sandbox --only broker,database
mailout_setup
notice_setup
notice_set per_hour 30000
# Eight workers: the message kills two, and those that get it before the supervisor has seen these end; a queue without
# any worker would be another alert.
mkdir -p "$TMP/state"
: > "$TMP/told"
: > "$SINK/mails"
sed -i -e "s|^state_dir = .*|state_dir = $TMP/state|" -e '/^workers = 1$/d' -e '/^backoff_max/d' \
	-e 's/^\[ingest\]/[ingest]\nbackoff_max = 1s\nworkers = 8\nbatch_count = 50/' "$TMP/conf"
cat >> "$TMP/conf" <<-END

	[alerts]
	to = ops@example.test
	command = echo "\$MAILPIPE_ALERT \$MAILPIPE_KINDS" >> $TMP/told
	interval = 300ms
	pauses = 1h
	clear_after = 1s
	restarts = 1000
END
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
# shellcheck disable=SC2046
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/poison.so" "$TREE/tests/it/shim/poison_store.c" \
	$(pkg-config --cflags libmariadb) -ldl || die 'the shim does not compile'
chmod 755 "$TMP/poison.so"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/ingest.log --log=$TMP/log"

ingest_pid=
ingest_start() {
	"$BUILD/sbin/mailin-ingest" --config "$TMP/conf" --foreground 2>> "$TMP/ingest.log" 4>&- &
	ingest_pid=$!
}
ingest_stop() {
	kill -TERM "$ingest_pid"
	wait "$ingest_pid"
	ingest_status=$?
	ingest_pid=
}
ingest_kill() { [ -z "$ingest_pid" ] || kill -KILL "$ingest_pid" 2> /dev/null; }
at_exit 'ingest_kill; watch_kill'
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
rows() { sql 'SELECT COUNT(*) FROM messages'; }
rows_are() { [ "$(rows)" = "$1" ]; }
stored() { wait_for 60 rows_are "$1" || diag "$(rows) rows, not $1: $(tail -n 5 "$TMP/ingest.log")"; }
is_well() { watch --once --quiet > "$TMP/well"; }
# Recipients and subjects.
sink() { cut -f3,5 "$SINK/mails" | sed 's/ ([^)]*)$//' | sort; }

mailout_start
export POISON=BITTER-ALMOND LD_PRELOAD="$TMP/poison.so"
ingest_start
unset POISON LD_PRELOAD
wait_for 60 is_well || diag "$(cat "$TMP/well")"
watch_start
posters 1 600 60 fine | arrive
posters 601 1 60 BITTER-ALMOND | arrive
posters 602 399 60 fine | arrive
stored 999
delivered 2 60
await_told 1
rounds 3
is "$(rows) $(sql "SELECT COUNT(*) FROM messages WHERE subject = 'BITTER-ALMOND'")" '999 0' '999 are stored'
is "$(waiting mail.in.support) $(waiting mail.dead)" '0 1' 'one is a dead letter'
ctl dead list --json > "$TMP/dead"
reason='[2-8] workers died while they had it in hand, the last one of signal 11 \(Segmentation fault\)'
like "$(jq -r '.Messages[] | .MessageID + ": " + .Reason' "$TMP/dead")" "^$(id 601): $reason\$" 'with the reason'
is "$(sink)" "ops@example.test	Warning: there are dead letters
poster601@x.example	Your mail was not delivered: BITTER-ALMOND" 'its poster got a notice, the operator an alert, and nobody else anything'
is "$(told)" 'new dead-letters' 'the alert was told by each way once, and not again while it lasts'

trace "$(id 601)"
is "$(said '.Messages[0] | [.State, .Queue, .ReturnsTo] | join(" ")')" 'dead mail.dead mail.in.support' 'trace: where it is'
like "$(said '.Messages[0].Conclusion')" "^given up, it lies in mail\.dead: $reason\$" 'and why'
is "$(said '[.Messages[0].Events[] | select(.Source != "log") | .Source + ":" + .Event] | join(" ")')" \
	'broker:dead database:notice' 'it was given up, and then its poster was told'
like "$(said '.Messages[0].Events[] | select(.Event == "notice" and .Source == "database") | .Text')" '^post-failed, .*: sent: ' \
	'with success'
trace "$(id 600)"
is "$(said '.Messages[0].State')" stored 'its neighbour is stored'
trace poster601@x.example
is "$(said '[.Messages[] | .Direction + " " + .State] | sort | join(", ")')" 'inbound dead, outbound sent' 'its poster leads to it and to the notice'

# The fault is mended.
ingest_stop
is "$ingest_status" 0 'the supervisor ends well'
ingest_start
like "$(ctl dead requeue --all)" '^1 of 1 dead letters requeued$' 'requeued'
stored 1000
await_told 2
rounds 3
is "$(told)" 'new dead-letters
over dead-letters' 'all clear'
trace "$(id 601)"
is "$(said '.Messages[0] | .State + " " + (.Queue | tostring)')" 'stored null' 'trace: it is stored'
is "$(said '[.Messages[0].Events[] | select(.Source == "database") | .Event] | join(" ")')" 'taken notice stored' 'after its poster was told otherwise'
watch_stop
ingest_stop
mailout_stop
is "$(rows) $(grep -c ' event=stored ' "$TMP/ingest.log") $(waiting mail.dead)" '1000 1000 0' 'all are stored, once'
is "$(cut -f3 "$SINK/mails" | sort | uniq -c | sed 's/^ *//')" '2 ops@example.test
1 poster601@x.example' 'nobody was told anything more'
is "$ingest_status $mailout_status $watch_status" '0 0 0' 'exit statuses'
