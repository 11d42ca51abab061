#!/bin/sh
# The supervisor keeps the number of its workers, whoever kills them; they end with it.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
# A build with AddressSanitizer must die of signals, too.
export ASAN_OPTIONS="${ASAN_OPTIONS-}:handle_segv=0"
plan 9
use_sandbox --only broker,database
ingest_setup
ingest_set workers 3
ingest_start
consuming() { [ "$(events consuming)" -ge "$1" ]; }
wait_for 30 consuming 3
is "$(ingest_workers | wc -l)" 3 'three workers'
victim=$(ingest_workers | head -n 1)
kill -SEGV "$victim"
await_log "$victim died of signal 11 \\(Segmentation fault\\); the next one starts in [0-9]+ ms"
wait_for 30 consuming 4
is "$(ingest_workers | wc -l)" 3 'three again'
ok 'not the one that was killed' test -z "$(ingest_workers | grep -x "$victim")"
documents --count 3 | publish
stored 3
is "$(rows)" 3 'they work'
# One that keeps crashing is started less and less often.
for n in 1 2 3; do
	kill -KILL "$(ingest_workers | tail -n 1)"
	wait_for 30 consuming $((4 + n))
done
is "$(grep -c 'died of signal 9' "$TMP/log")" 3 'and again and again'
state=$(sed -n 's/^state_dir = //p' "$CONFIG")
is "$(cut -d ' ' -f 3 "$state/restarts.mailin-ingest" | tr '\n' ' ')" '11 9 9 9 ' 'each end is noted for mailctl watch'
workers=$(ingest_workers)
kill -KILL "$ingest_pid"
wait "$ingest_pid" 2> /dev/null
gone() { for pid in $workers; do ! kill -0 "$pid" 2> /dev/null || return 1; done; }
ok 'workers end when their supervisor is killed' wait_for 30 gone
ingest_pid=
ingest_start
wait_for 30 consuming 10
workers=$(ingest_workers)
ingest_stop
is "$ingest_status" 0 'exit status after SIGTERM'
ok 'and no worker is left' gone
