#!/bin/sh
# 421 at any time: the server leaves; messages it has not taken go into a new session.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 10

message mail hello
closing='then-close 421 4.3.2 shutting down'
for stage in 'mail#3' 'rcpt#3' 'data#3'; do
	name=$(echo "$stage" | tr -d '#')
	hostile "$name" --at "1/$stage=$closing"
	config "hosts = 127.0.0.1:$port"
	is "$(probe 'make me@a.test a@a.test 500 6' 'count 6')" '6: 6 ok' "421 at $stage"
	is "$(count_of "$name" message) $(count_of "$name" connect)" '6 2' '... all are sent once, in two sessions'
done

hostile dot --at "1/dot#3=$closing"
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 500 4' 'results 4')" \
	"1 tried a@a.test ok 250 2.0.0|queued as 1-1
2 tried a@a.test ok 250 2.0.0|queued as 1-2
3 tried a@a.test deferred 421 4.3.2|shutting down
4 tried a@a.test ok 250 2.0.0|queued as 2-1" '421 to a message is its reply'

hostile always --at "mail=$closing"
config "hosts = 127.0.0.1:$port"
is "$(probe "send me@a.test a@a.test $TMP/mail" 'results 1')" \
	"1 untried a@a.test deferred 421 4.3.2|127.0.0.1:$port: 421 4.3.2 shutting down" '421 to the first MAIL of a session: not tried'

# Idle for longer than the server likes.
hostile idle --at "1/dot#1=raw 250 2.0.0 fine\r\n421 4.4.2 idle for too long\r\n"
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 500 1' 'count 1' 'make me@a.test a@a.test 500 1' 'count 1')" \
	'1: 1 ok
1: 1 ok' '421 behind the reply to a message'
is "$(count_of idle connect)" 2 '... ends the session'
