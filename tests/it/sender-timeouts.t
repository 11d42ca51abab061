#!/bin/sh
# A silent or slow server costs smtp.timeout and no more, and never a part of a message.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 13

message mail hello

# one RULE [TIMEOUT]: a server with this rule gets one message with that smtp.timeout (1s); sets result.
one() {
	count=$((${count:-0} + 1))
	hostile "one$count" --at "$1"
	config "hosts = 127.0.0.1:$port" "timeout = ${2-1s}"
	begun=$(date +%s)
	result=$(probe "send me@a.test a@a.test $TMP/mail" 'results 1' 'stop 30000' | sed "s/:$port/:PORT/")
	took=$(($(date +%s) - begun))
}

for stage in connect ehlo; do
	one "$stage=silent"
	is "$result" '1 untried a@a.test deferred 0 4.4.2|127.0.0.1:PORT: no answer within 1 s
stopped in time' "silent at $stage: not tried"
done
one 'mail=silent'
is "$result" '1 untried a@a.test deferred 0 4.4.2|127.0.0.1:PORT: no answer within 1 s
stopped in time' 'silent at MAIL: not tried'
for stage in rcpt data; do
	one "$stage=silent"
	is "$result" '1 tried a@a.test deferred 0 4.4.2|no answer within 1 s
stopped in time' "silent at $stage: deferred"
done
one 'dot=silent'
is "$result" '1 tried a@a.test in-doubt 0 4.4.2|no answer within 1 s
stopped in time' 'silent after the message: in doubt'
one 'quit=silent' 3s
is "$result" '1 tried a@a.test ok 250 2.0.0|queued as 1-1
stopped in time' 'silent at QUIT: no matter'
one 'rcpt=drip 0.3'
is "$result" '1 tried a@a.test deferred 0 4.4.2|no answer within 1 s
stopped in time' 'a reply that comes byte by byte is one reply'
ok "... and took $took s" test "$took" -le 20
one 'ehlo=drip 0.002' 20s
is "$result" '1 tried a@a.test ok 250 2.0.0|queued as 1-1
stopped in time' 'slow, but in time'
one 'mail=flood 250-what\r\n'
like "$result" '^1 (un)?tried a@a.test deferred ' 'an endless reply'

# A server that stops reading in the middle of the message and goes on later: libesmtp alone drops what it could not write in time
# and sends the rest.
hostile stalls --buffer 4096 --at 'body=wait 3'
config "hosts = 127.0.0.1:$port" 'timeout = 1s'
is "$(probe 'make me@a.test a@a.test 20000000 1' 'results 1' 'sleep 3000')" \
	'1 tried a@a.test deferred 0 4.4.2|no answer within 1 s' 'a server that stops reading'
is "$(count_of stalls message)" 0 '... never sees the end of a message with a hole'
