#!/bin/sh
# A connection that breaks: what may have been accepted is in doubt, the rest was not accepted or not tried, and what can be sent
# in a new session is.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 16

message mail hello
dropped='connection was lost (SMTP server dropped connection)'

# one RULE ...: a server with these rules gets one message; sets result.
one() {
	count=$((${count:-0} + 1))
	for rule; do
		set -- "$@" --at "$rule"
		shift
	done
	hostile "one$count" "$@"
	config "hosts = 127.0.0.1:$port" 'timeout = 30s'
	result=$(probe "send me@a.test a@a.test,b@a.test $TMP/mail" 'results 1' | sed "s/:$port/:PORT/")
}

# is_both WANTED NAME: for both recipients alike.
is_both() {
	is "$result" "$(printf '1 %s\n' "$1" | sed 'p; s/a@a/b@a/')" "$2"
}

for how in close reset; do
	one "dot=$how"
	is_both "tried a@a.test in-doubt 0 4.4.2|the $dropped" "$how after the message, before the reply: in doubt"
	one "data=$how"
	is_both "tried a@a.test deferred 0 4.4.2|the $dropped" "$how at DATA: not accepted"
	one "rcpt#2=$how"
	is_both "tried a@a.test deferred 0 4.4.2|the $dropped" "$how at RCPT, with PIPELINING offered"
	one "mail=$how"
	is_both "untried a@a.test deferred 0 4.4.2|127.0.0.1:PORT: the $dropped" "$how at MAIL: not tried"
	one "connect=$how"
	# A RST may come before connect(2) has returned, which is as good.
	result=$(echo "$result" | sed "s/4\.4\.1|127.0.0.1:PORT: Connection reset by peer/4.4.2|127.0.0.1:PORT: the $dropped/")
	is_both "untried a@a.test deferred 0 4.4.2|127.0.0.1:PORT: the $dropped" "$how instead of a greeting"
done
one 'rcpt:a@a.test=reply 550 5.1.1 no such user' 'dot=close'
is "$result" \
	"1 tried a@a.test failed 550 5.1.1|no such user
1 tried b@a.test in-doubt 0 4.4.2|the $dropped" 'a refused recipient is not in doubt'

# A message larger than all buffers to a server that breaks the connection in the middle of it.
hostile body --buffer 4096 --at 'body=reset'
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 20000000 1' 'results 1')" \
	"1 tried a@a.test deferred 0 4.4.2|the $dropped" 'broken in the middle of a message: not accepted'

# The reply comes in the middle of the message, then the end.
hostile early --buffer 4096 --at 'body=then-close 552 5.3.4 too big'
config "hosts = 127.0.0.1:$port"
like "$(probe 'make me@a.test a@a.test 20000000 1' 'results 1')" \
	'^1 tried a@a.test (failed 552 5.3.4|deferred 0 4.4.2)\|' 'a refusal in the middle of a message'

# The third message of each session breaks it before DATA; the jobs behind it must not suffer.
hostile third --at 'mail#3=close'
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 500 9' 'count 9')" '9: 9 ok' 'a session that breaks after some messages is made again'
is "$(count_of third connect)/$(count_of third message)" 5/9 '... and nothing is sent twice'

# In doubt is one message only, the others go on.
hostile doubt --at '1/dot#2=close'
config "hosts = 127.0.0.1:$port"
is "$(probe 'make me@a.test a@a.test 500 5' 'count 5')" '5: 4 ok 1 in-doubt' \
	'what comes behind a message in doubt is sent in a new session'
