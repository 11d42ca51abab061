#!/bin/sh
# Many messages go through one session, up to smtp.session_messages and smtp.session_time; a session without work ends.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 14

hostile many
config "hosts = 127.0.0.1:$port" 'session_messages = 40' 'helo = me.sender.test'
is "$(probe 'make me@a.test a@a.test 2000 100' 'count 100' 'stop 30000')" '100: 100 ok
stopped in time' 'a hundred messages'
is "$(count_of many connect)" 3 '... in three sessions of forty'
is "$(said many | grep -c '^QUIT')" 3 '... each with its QUIT'
is "$(said many | sort -u | head -3)" 'DATA
EHLO me.sender.test
MAIL FROM:<me@a.test> SIZE=2000' '... with the name for EHLO, and the size'

hostile later
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 2000 1' 'count 1' 'sleep 500' 'make me@a.test a@a.test 2000 1' 'count 1')" \
	'1: 1 ok
1: 1 ok' 'a message that comes later'
is "$(count_of later connect)" 1 '... goes into the same session'

hostile idle
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 2000 1' 'count 1' "system \"until grep -c closed $TMP/idle/log; do sleep 0.1; done | tail -n 1\"" \
	'make me@a.test a@a.test 2000 1' 'count 1')" \
	'1: 1 ok
1
1: 1 ok' 'a session without work is ended, the next message begins one'

hostile old
config "hosts = 127.0.0.1:$port" 'session_time = 1s'
is "$(probe 'make me@a.test a@a.test 2000 1' 'count 1' 'sleep 1500' 'make me@a.test a@a.test 2000 2' 'count 2')" '1: 1 ok
2: 2 ok' 'messages before and after session_time'
is "$(count_of old connect)" 2 '... are in two sessions'

hostile finish --at 'dot=wait 1'
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 2000 3' finish 'count 3' 'stop 30000')" '3: 3 ok
stopped in time' 'what was handed over is sent before it finishes'
is "$(said finish | tail -n 1)" QUIT '... with a QUIT'

# A session goes on after a refused message, whichever way it was refused.
hostile refuses --at 'mail#2=reply 550 5.1.8 no' --at 'rcpt#3=reply 550 5.1.1 no' --at 'dot#3=reply 554 5.5.1 no valid recipients' \
	--at 'dot#5=reply 550 5.7.1 spam'
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 2000 8' 'count 8')" '8: 5 ok 3 failed' 'refused at MAIL, at RCPT and at the end'
is "$(count_of refuses connect)" 1 '... in one session'
hostile nodata --at 'rcpt#3=reply 550 5.1.1 no' --at 'data#3=reply 554 5.5.1 no valid recipients'
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 2000 8' 'count 8') $(count_of nodata connect)" '8: 7 ok 1 failed 1' 'refused at DATA'
