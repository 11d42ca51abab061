#!/bin/sh
# A requeue that is killed or interrupted loses nothing, and goes on when it is repeated.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/dead.sh"
use_sandbox --only broker,database
dead_setup
moved() { [ "$(waiting mail.in.support)" -gt "$1" ]; }
# interrupt SIGNAL N: when so many have been moved; exit status in $status.
interrupt() {
	ctl dead requeue --all > "$TMP/told" 2>&1 &
	pid=$!
	wait_for 60 moved "$2"
	kill "-$1" "$(pgrep -P "$pid" || echo "$pid")"
	wait "$pid"
	status=$?
}
in_all() { [ $(($(waiting mail.dead) + $(waiting mail.in.support))) -ge 40000 ]; }

fill 40000 mail.in.support busy
interrupt KILL 2000
ok 'killed half-way' test "$status" -ne 0 -a "$(waiting mail.in.support)" -lt 40000
wait_for 30 in_all
ok 'each message is in one queue at least' in_all
before=$(waiting mail.in.support)
interrupt INT "$((before + 2000))"
is "$status" 130 'interrupted by Ctrl-C'
like "$(cat "$TMP/told")" '^mailctl: dead requeue: interrupted$' 'says so'
wait_for 30 in_all
told=$(sed -n 's/^\([0-9]*\) of .* requeued$/\1/p' "$TMP/told")
is "$(($(waiting mail.in.support) - before))" "$told" 'and has finished what was in hand'
ctl dead requeue --all > /dev/null
is "$?" 0 'repeated to its end'
await mail.dead 0
is "$(numbers mail.in.support | sort -n | uniq | wc -l)" 40000 'all are there'
ok 'few of them twice' test "$(waiting mail.in.support)" -le 41100
done_testing
