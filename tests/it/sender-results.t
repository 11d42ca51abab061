#!/bin/sh
# Each recipient gets the result that the server's replies to it and to the message add up to.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 9

message mail hello
hostile mixed --at 'rcpt:no@a.test=reply 550 5.1.1 <no@a.test>: no such user' \
	--at 'rcpt:later@a.test=reply 450 4.2.1 mailbox busy' \
	--at 'rcpt:odd@a.test=reply 354 what' \
	--at 'rcpt:dumb@a.test=reply 553-first line\r\n553 second line'
config "hosts = 127.0.0.1:$port"
is "$(probe "send me@a.test yes@a.test,no@a.test,later@a.test,odd@a.test,dumb@a.test,too@a.test $TMP/mail" 'results 1')" \
	"1 tried yes@a.test ok 250 2.0.0|queued as 1-1
1 tried no@a.test failed 550 5.1.1|<no@a.test>: no such user
1 tried later@a.test deferred 450 4.2.1|mailbox busy
1 tried odd@a.test deferred 354 4.5.0|unexpected reply: 354 what
1 tried dumb@a.test failed 553 |first line second line
1 tried too@a.test ok 250 2.0.0|queued as 1-1" 'one refused recipient does not harm the others'

hostile none --at 'rcpt=reply 550 5.1.1 no such user' --at 'dot=reply 250 2.0.0 queued nevertheless'
config "hosts = 127.0.0.1:$port"
is "$(probe "send me@a.test a@a.test,b@a.test $TMP/mail" 'results 1')" \
	"1 tried a@a.test failed 550 5.1.1|no such user
1 tried b@a.test failed 550 5.1.1|no such user" 'all recipients refused, and 250 at the end'
is "$(grep -c . "$TMP/none/1-1.msg")" 0 'no byte of the message was sent'

hostile sender --at 'mail#1=reply 550 5.1.8 bad sender' --at 'mail#2=reply 451 4.3.0 later'
config "hosts = 127.0.0.1:$port"
is "$(probe "send me@a.test a@a.test,b@a.test $TMP/mail" "send me@a.test a@a.test $TMP/mail" 'results 2')" \
	"1 tried a@a.test failed 550 5.1.8|bad sender
1 tried b@a.test failed 550 5.1.8|bad sender
2 tried a@a.test deferred 451 4.3.0|later" 'a refused sender'
is "$(count_of sender connect)" 1 '... ends no session'

hostile dot --at 'dot#1=reply 552 5.3.4 too big' --at 'dot#2=reply 451 4.7.1 greylisted' --at 'dot#3=reply 250 fine'
config "hosts = 127.0.0.1:$port"
is "$(probe "send me@a.test a@a.test $TMP/mail" "send me@a.test b@a.test $TMP/mail" "send me@a.test c@a.test $TMP/mail" \
	'results 3')" \
	"1 tried a@a.test failed 552 5.3.4|too big
2 tried b@a.test deferred 451 4.7.1|greylisted
3 tried c@a.test ok 250 |fine" 'the reply to the message decides, and a refused one does not harm the next'
is "$(count_of dot connect)" 1 '... in one session'

hostile data --at '1/data=reply 554 5.5.1 no'
config "hosts = 127.0.0.1:$port"
is "$(probe "send me@a.test a@a.test $TMP/mail" 'results 1' "send me@a.test b@a.test $TMP/mail" 'results 1')" \
	"1 tried a@a.test failed 554 5.5.1|no
2 tried b@a.test ok 250 2.0.0|queued as 2-1" 'a refused DATA'
hostile lie --at 'data=reply 250 2.0.0 accepted without looking'
config "hosts = 127.0.0.1:$port"
is "$(probe "send me@a.test a@a.test $TMP/mail" 'results 1')" \
	"1 tried a@a.test deferred 250 4.5.0|unexpected reply: 250 accepted without looking" \
	'250 in answer to DATA is no acceptance: nothing was sent'
