#!/bin/sh
# mailctl status tells what waits where, how old it is, who consumes, and says by its exit status whether all is well.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 28
use_sandbox --only broker,database
ingest_setup

status() {
	"$BUILD/bin/mailctl" --config "$TMP/conf" status --json > "$TMP/json"
	status_exit=$?
}
mailctl_bad() {
	"$BUILD/bin/mailctl" --config "$TMP/conf" status "$@" > /dev/null 2>&1
	echo $?
}
value() { jq -r "$1" "$TMP/json"; }
route() { value ".Routes[] | select(.Name == \"support\") | .$1"; }

status
is "$status_exit" 1 'nobody consumes'
is "$(value '[.Status, .Database.Up, .Broker.Up] | join(" ")')" 'wrong true true' 'both servers are up'
is "$(route '| [.Waiting, .Consumers, .OldestKind, .Delayed, .HandledPerMinute] | join(" ")' | tr -d '|')" '0 0 none 0 0' \
	'nothing waits'
is "$(route Note)" 'nobody consumes it: start mailin-ingest' 'a note says what to do'
is "$(value '[.RetryTiers[].Name] | join(" ")')" '2s 10s' 'each retry tier'
is "$(value '.DeadLetters.Waiting')" 0 'dead letters'

# One that was published long ago, and three that do not say when.
documents --first 9 --count 1 | probe give support
documents --count 3 | publish
sql "INSERT INTO inbound_pending (id, route, status, attempt, first_seen, reason, updated_at)
	VALUES (UNHEX(MD5('a')), 'support', 'delayed', 1, NOW(3) - INTERVAL 1 HOUR, 'the database is away', NOW(3)),
		(UNHEX(MD5('b')), 'support', 'failed', 9, NOW(3) - INTERVAL 9 HOUR, 'given up', NOW(3))"
status
is "$(route Waiting)" 4 'messages wait'
is "$(route OldestKind)" exact 'the first one was looked at'
oldest=$(route OldestMs)
first_seen=1795348000 # tests/it/ingest_probe.c
now=$(date +%s)
[ "$oldest" -ge $(((now - first_seen - 10) * 1000)) ] && [ "$oldest" -le $(((now - first_seen + 10) * 1000)) ]
is $? 0 'its age is since it was first seen'
is "$(route Delayed)" 1 'one is in a retry tier'
[ "$(route DelayedOldestMs)" -ge 3600000 ]
is $? 0 'and since when'
is "$(route Status)" wrong 'and nobody consumes'

# RabbitMQ allows 20 deliveries: it may be asked as often as one likes.
count=0
while [ $count -lt 40 ]; do
	status
	count=$((count + 1))
done
is "$(route '| [.Waiting, .OldestKind] | join(" ")' | tr -d '|')" '4 exact' \
	'many looks: nothing is lost, and while nobody consumes the age is known'
is "$(value .DeadLetters.Waiting)" 0 'nothing was delivered too often'
deliveries=$(jq '[.Queues[].Looks // 0] | max' "$(sed -n 's/^state_dir = //p' "$TMP/conf")/queues.json")
is "$deliveries" 1 'the message was looked at once'

ingest_start
stored 4
await_log 'event=consuming'
handled() { status && [ "$(route HandledPerMinute)" -ge 1 ]; }
ok 'consumed, stored, all is well; what was handled is counted' wait_for 30 handled
is "$(route '| [.Waiting, .OldestKind, .Status] | join(" ")' | tr -d '|')" '0 none ok' 'nothing waits'
is "$(value '[.Streams[].Status] | unique | join(" ")')" 'wrong' 'but nobody sends' ||
	diag "$(cat "$TMP/json")"

text=$("$BUILD/bin/mailctl" --config "$TMP/conf" status)
like "$text" '^route +support +0 +- +1 +1 +[0-9.?]+ +[0-9.]+ +-$' 'as text'
like "$text" '^dead +mail.dead +[01] +- +- +- +- +- +' 'dead letters as text'
unlike "$text" "$(printf '\033')" 'no colours outside of a terminal'

# Again and again, until it is interrupted.
timeout --foreground -s INT 60 "$BUILD/bin/mailctl" --config "$TMP/conf" status --json --watch=1 > "$TMP/lines" &
watch_pid=$!
three_lines() { [ "$(wc -l < "$TMP/lines")" -ge 3 ]; }
wait_for 30 three_lines
kill -INT "$watch_pid"
wait "$watch_pid"
is $? 1 'watching ends with what the last look found' || diag "$(cat "$TMP/lines")"
is "$(jq -s 'map(has("Routes")) | all' "$TMP/lines")" true 'a JSON object a line'
cat > "$TMP/draws" <<-'END'
	import os, pty, signal, sys, time
	pid, fd = pty.fork()
	if pid == 0:
	    os.environ['TERM'] = 'xterm'
	    os.execv(sys.argv[1], sys.argv[1:])
	seen = b''
	until = time.time() + 30
	while seen.count(b'\033[H') < 3 and time.time() < until:
	    seen += os.read(fd, 65536)
	os.kill(pid, signal.SIGINT)
	try:
	    while True:
	        more = os.read(fd, 65536)
	        if not more:
	            break
	        seen += more
	except OSError:
	    pass
	os.waitpid(pid, 0)
	print(seen.count(b'\033[2J'), seen.count(b'\033[H') >= 3, b'\033[32mup' in seen,
	    seen.rstrip().endswith(b'\033[?25h'))
END
is "$(python3 "$TMP/draws" "$BUILD/bin/mailctl" --config "$TMP/conf" status -w1)" '1 True True True' \
	'on a terminal it draws over what it drew, in colours, and brings the cursor back'

# Without a place to keep what was looked at, nothing is looked at.
documents --first 20 --count 1 > "$TMP/one"
ingest_stop
publish < "$TMP/one"
sed -i "s|^state_dir = .*|state_dir = $TMP/nowhere|" "$TMP/conf"
status
is "$(route '| [.Waiting, .OldestKind] | join(" ")' | tr -d '|')" '1 unknown' 'no state_dir: no age'
like "$(value .AgesReason)" "nowhere: No such file" 'and why'
is "$(mailctl_bad --watch=0)" 64 'a pause of 0 is refused'
sed -i "s|^socket = .*|socket = $TMP/nothing|" "$TMP/conf"
status
is "$status_exit $(value '[.Database.Up, .Broker.Up, (.Database.Reason | length > 0)] | join(" ")')" \
	'1 false true true' 'with the database away the broker is told of'
