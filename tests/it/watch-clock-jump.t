#!/bin/sh
# The clock is set a week ahead while mailctl watch looks on (libfaketime): no queue is older for that.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/watch.sh"
. "$(dirname "$0")/../lib/clock.sh"
clock_setup
use_sandbox --only broker,database
watch_setup
watch_set queue_age 1d
"$BUILD/bin/mailctl" -c "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
echo '{}' | "$BUILD/tests/it/ingest_probe" publish support
# shellcheck disable=SC2034
start() {
	( clock_exec "$BUILD/bin/mailctl" -c "$TMP/conf" watch -f 2>> "$TMP/log" 4>&- ) &
	watch_pid=$!
}
start
rounds 3
clock_set +7d
await_log 'event=clock text="was set by 60[0-9]{4} s"'
rounds 3
clock_set -7d
await_log 'event=clock text="was set by -12[0-9]{5} s"'
rounds 3
is "$(grep -c 'kind=queue-age' "$TMP/log")" 0 'a week ahead, two weeks back: nobody is told of old messages'
clock_set +0
watch_stop
is "$watch_status" 0 'exit status'
# What waits for longer is told all the same, also by the next watcher.
sed -i 's/\("Since": *\)[0-9]*/\11000/' "$TMP/state/watch.json"
start
await_log 'kind=queue-age'
pass 'a queue that is old is told'
watch_stop
done_testing
