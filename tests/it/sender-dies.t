#!/bin/sh
# A sender that dies or hangs: the message whose end may have been sent is in doubt, the others were not tried.  It does not
# outlive its parent.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 11

message mail hello
three='make me@a.test a@a.test 500 3'
# reaches NAME REGEX: a command that waits until the server's log has that.
reaches() { echo "system \"until grep -q '$2' $TMP/$1/log; do sleep 0.1; done\""; }

hostile dot --at '1/dot#2=silent'
config "hosts = 127.0.0.1:$port"
is "$(probe "$three" 'results 1' "$(reaches dot silent)" 'kill 9' 'results 2')" \
	"1 tried a@a.test ok 250 2.0.0|queued as 1-1
gone 4.3.0 the sender was killed by SIGKILL
2 tried a@a.test in-doubt 0 4.3.0|the sender was killed by SIGKILL
3 untried a@a.test deferred 0 4.3.0|the sender was killed by SIGKILL" 'killed between the message and the reply to it'

hostile data --at '1/data#2=silent'
config "hosts = 127.0.0.1:$port"
is "$(probe "$three" 'results 1' "$(reaches data silent)" 'kill 9' 'results 2')" \
	"1 tried a@a.test ok 250 2.0.0|queued as 1-1
gone 4.3.0 the sender was killed by SIGKILL
2 untried a@a.test deferred 0 4.3.0|the sender was killed by SIGKILL
3 untried a@a.test deferred 0 4.3.0|the sender was killed by SIGKILL" 'killed at DATA'

hostile answered
config "hosts = 127.0.0.1:$port"
is "$(probe "$three" "$(reaches answered 'message 3')" 'sleep 2000' 'kill 9' 'sleep 100' 'results 3')" \
	"gone 4.3.0 the sender was killed by SIGKILL
1 tried a@a.test ok 250 2.0.0|queued as 1-1
2 tried a@a.test ok 250 2.0.0|queued as 1-2
3 tried a@a.test ok 250 2.0.0|queued as 1-3" 'what it had answered before counts'

hostile hangs --at 'dot#2=silent'
config "hosts = 127.0.0.1:$port" 'timeout = 3s'
is "$(probe "$three" 'results 1' "$(reaches hangs silent)" 'kill 19' 'results 2')" \
	"1 tried a@a.test ok 250 2.0.0|queued as 1-1
gone 4.3.0 the sender made no step for 8 s and was killed
2 tried a@a.test in-doubt 0 4.3.0|the sender made no step for 8 s and was killed
3 untried a@a.test deferred 0 4.3.0|the sender made no step for 8 s and was killed" 'one that hangs is killed'

hostile stop --at 'dot=silent'
config "hosts = 127.0.0.1:$port" 'timeout = 60s'
is "$(probe "$three" "$(reaches stop silent)" 'stop 1000')" 'stopped at the deadline' 'one that does not end in time is killed'

hostile term
config "hosts = 127.0.0.1:$port"
is "$(probe "$three" 'count 3' 'kill 15' 'kill 2' 'kill 1' "$three" 'count 3')" '3: 3 ok
3: 3 ok' 'signals that mean the parent are the parent'"'"'s business'

hostile idle
config "hosts = 127.0.0.1:$port"
is "$(probe 'kill 9' 'sleep 100' "$three" 'count 3')" 'gone 4.3.0 the sender was killed by SIGKILL
3: 3 deferred' 'killed without work: what is handed over then is answered'

# Nothing of the parent's is open in the child but its socket.
hostile open --at 'dot=silent'
config "hosts = 127.0.0.1:$port"
exec 7< "$TMP/mail"
# shellcheck disable=SC2016
is "$(probe "$three" "$(reaches open silent)" 'system "for c in $(cat /proc/$PPID/task/$PPID/children); do [ $c = $$ ] || ls -l /proc/$c/fd; done"' \
	'stop 0' | sed -n 's/.* -> //p' | grep -v '^/dev/null$' | sed 's/\[.*//' | sort | uniq -c | tr -s ' ')" \
	" 1 pipe:
 2 socket:" 'it has its socket, the connection and standard error'

hostile orphan --at 'dot=silent'
config "hosts = 127.0.0.1:$port"
# shellcheck disable=SC2016
mkfifo "$TMP/commands"
sh -c 'echo $$ > "$0/parent"; exec "$1"' "$TMP" "$SENDER_PROBE" < "$TMP/commands" > /dev/null &
exec 8> "$TMP/commands"
printf 'start %s\n%s\n' "$TMP/conf" "$three" >&8
wait_for 30 grep -q message "$TMP/orphan/log"
parent=$(cat "$TMP/parent")
child=$(tr -d ' ' < "/proc/$parent/task/$parent/children")
ok 'there is a child' kill -0 "$child"
kill -9 "$parent"
ok 'it ends with its parent' wait_for 30 sh -c "! kill -0 $child"
ok '... and the server is told' wait_for 30 grep -q closed "$TMP/orphan/log"
