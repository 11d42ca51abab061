#!/bin/sh
# smtp.hosts are tried in order; one that has failed is left alone for a while.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 14

message mail hello
hostile good
good=$port
hostile refuses --at 'connect=reply 554 5.3.2 no service here'
refuses=$port
hostile busy --at 'connect=reply 421 4.3.2 too busy'
busy=$port
hostile wrong --at 'ehlo=reply 550 5.7.1 not you'
wrong=$port
closed=1

# sent HOSTS ...: the result of one message.
sent() {
	config "hosts = $*"
	probe "send me@a.test a@a.test $TMP/mail" 'results 1'
}
like "$(sent "127.0.0.1:$closed 127.0.0.1:$good")" '^1 tried a@a.test ok ' 'the second one after a refused connection'
like "$(sent "127.0.0.1:$refuses 127.0.0.1:$good")" '^1 tried a@a.test ok ' '... after a greeting with 554'
like "$(sent "127.0.0.1:$busy 127.0.0.1:$good")" '^1 tried a@a.test ok ' '... after a greeting with 421'
like "$(sent "127.0.0.1:$wrong 127.0.0.1:$good")" '^1 tried a@a.test ok ' '... after a refused EHLO'
like "$(sent "nowhere.invalid 127.0.0.1:$good")" '^1 tried a@a.test ok ' '... after a name that does not exist'
like "$(sent "localhost:$good")" '^1 tried a@a.test ok ' 'by name'
is "$(sent "127.0.0.1:$closed 127.0.0.1:$refuses")" \
	"1 untried a@a.test deferred 554 4.3.2|127.0.0.1:$closed: Connection refused; 127.0.0.1:$refuses: 554 5.3.2 no service here" \
	'all of them fail: not tried, with all reasons'
is "$(sent "127.0.0.1:$wrong")" "1 untried a@a.test deferred 550 4.3.2|127.0.0.1:$wrong: 550 5.7.1 not you" \
	'a refused EHLO decides about no message'
config "hosts = 127.0.0.1:$closed"
is "$(probe 'make me@a.test a@a.test 500 30' 'count 30')" '30: 30 deferred' 'all that was handed over is answered at once'

# A host that accepts messages but none for long, and one that is not asked again.
hostile first --at '1/connect=reply 421 4.3.2 starting'
first=$port
config "hosts = 127.0.0.1:$first 127.0.0.1:$good" 'session_messages = 2'
is "$(probe 'make me@a.test a@a.test 500 6' 'count 6') $(count_of first connect)" '6: 6 ok 1' 'a host that has failed is left alone'
config "hosts = 127.0.0.1:$first" 'session_messages = 2'
is "$(probe 'make me@a.test a@a.test 500 6' 'count 6') $(count_of first connect)" '6: 6 ok 4' '... unless there is no other'

if python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2> /dev/null; then
	hostile six --address ::1
	like "$(sent "[::1]:$port")" '^1 tried a@a.test ok ' 'an IPv6 address'
else
	pass 'an IPv6 address # SKIP no IPv6 here'
fi

# A connection that never comes about: a listener whose backlog is full.
python3 -c '
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
full = [socket.socket() for i in range(4)]
for c in full:
    c.setblocking(False); c.connect_ex(s.getsockname())
open(sys.argv[1] + ".new", "w").write(str(s.getsockname()[1]))
import os; os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)' "$TMP/full" &
at_exit "kill $!"
wait_for 30 test -e "$TMP/full"
config "hosts = 127.0.0.1:$(cat "$TMP/full")" 'timeout = 1s'
begun=$(date +%s)
is "$(probe "send me@a.test a@a.test $TMP/mail" 'results 1')" \
	"1 untried a@a.test deferred 0 4.4.1|127.0.0.1:$(cat "$TMP/full"): Connection timed out" 'a connection that never comes about'
ok '... costs smtp.timeout' test $(($(date +%s) - begun)) -le 20
