#!/bin/sh
# A message arrives as it was handed over, to the byte; what libesmtp would change or let through is refused before it.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 31

hostile sink
config "hosts = 127.0.0.1:$port"

# Every kind of header, dots at the begin of lines, empty lines, and no empty line at the end.
{
	printf 'Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\r\nReceived: from c by a;\r\n\tSun, 22 Nov 2026 12:00:00 +0000\r\n'
	printf 'Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nFROM: <from@sender.test>\r\nTo: <to@sender.test>,\r\n\t<too@sender.test>\r\n'
	printf 'Cc: <cc@sender.test>\r\nReply-To: <r@sender.test>\r\nSender: <s@sender.test>\r\nmessage-ID: <1@sender.test>\r\nSubject: one\r\n'
	printf 'X-Twice: 1\r\nX-Twice: 2\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nList-Unsubscribe: <https://a.test>\r\n'
	printf 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nX-Long: %0990d\r\n' 0
	printf '\r\n.\r\n..\r\n.x\r\n\r\n\r\nMAIL FROM:<x@a.test>\r\n.\r\nthe end\r\n.\r\n'
} > "$TMP/odd"
is "$(probe "send me@a.test a@a.test $TMP/odd" 'results 1')" '1 tried a@a.test ok 250 2.0.0|queued as 1-1' 'a message with many dots'
sed 's/^\.//' "$TMP/sink/1-1.msg" > "$TMP/got"
ok 'arrives unchanged once the dots are taken off' cmp -s "$TMP/odd" "$TMP/got"
is "$(grep -c '^\.\.' "$TMP/sink/1-1.msg")" 5 '... each of which was doubled'

# No body at all, and the smallest one.
message nobody
message blank ''
is "$(probe "send me@a.test a@a.test $TMP/nobody" "send me@a.test a@a.test $TMP/blank" 'count 2')" '2: 2 ok' 'no body'
ok 'no body arrives' cmp -s "$TMP/nobody" "$TMP/sink/2-1.msg"
ok 'an empty line arrives' cmp -s "$TMP/blank" "$TMP/sink/2-2.msg"

# refused NAME WHAT: the message is refused without a word to the server.
refused() {
	is "$(probe "send me@a.test a@a.test $TMP/$1" 'results 1' | grep -v '^gone')" \
		"1 tried a@a.test failed 0 5.6.0|not sent: the message has $2" "refused: $2"
}
message mail hello
alter() {
	sed "$1" "$TMP/mail" > "$TMP/$2"
	refused "$2" "$3"
}
alter 's/hello/a\x0ab/' lf 'a bare LF'
alter 's/hello/a\x0db/' cr 'a bare CR'
alter 's/hello/\xc3\xa4/' eight 'a byte that is not ASCII'
alter '1s/\r//' lfheader 'a bare LF'
alter 's/hello/a\x00b/' nul 'a NUL'
alter '/^Date/d' nodate 'not exactly one Date field'
alter '/^From/p' from 'not exactly one From field'
alter '/^Message-ID/d' noid 'not exactly one Message-ID field'
alter '/^To/p' twoto 'more than one To field'
alter 's/^Subject:.*/Bcc: <x@a.test>\r/' bcc 'a Bcc field'
alter 's/^Subject:.*/Return-Path: <x@a.test>\r/' path 'a Return-Path field'
alter 's/^Subject:.*/no field\r/' nofield 'a line in the header that is no field'
# shellcheck disable=SC2016
alter '6,$d' noempty 'no empty line after the header'
alter "s/hello/$(printf '%0999d' 0)/" long 'a line longer than 998 bytes'
printf 'Date: x\r\n\r\nno end' > "$TMP/noend"
refused noend 'no CRLF at its end'
: > "$TMP/nothing"
refused nothing 'no empty line after the header'

# Addresses: no way out of the angle brackets.
before=$(count_of sink .)
for bad in 'a@a.test>\r\nRCPT TO:<b@b.test' 'a@a.test> NOTIFY=NEVER' 'a@a.test\nDATA' 'a b@a.test' 'no-at' '@a.test' 'a@' "a@$(printf '%0400d' 0)"; do
	printf 'send "me@a.test" "%s" "%s"\nresults 1\n' "$(printf '%s' "$bad" | sed 's/\\/\\\\/g')" "$TMP/mail"
done > "$TMP/commands"
probe "$(cat "$TMP/commands")" > "$TMP/results"
is "$(grep -ac 'failed 0 5.1.3|not sent: recipient 1 is no address' "$TMP/results")" 8 'recipients that are no addresses'
is "$(probe "send 'x@a.test> SIZE=1 <' a@a.test $TMP/mail" 'results 1')" \
	'1 tried a@a.test failed 0 5.1.7|not sent: the envelope sender is no address' 'a sender that is no address'
is "$(probe "send me@a.test a@a.test,b@ $TMP/mail" 'results 1')" \
	'1 tried a@a.test failed 0 5.1.3|not sent: recipient 2 is no address
1 tried b@ failed 0 5.1.3|not sent: recipient 2 is no address' 'one bad recipient: nothing is sent to the others'
is "$(count_of sink .)" "$before" 'none of that reached the server'
is "$(probe "send '' \"o'hara+x=y@a-b.test\" $TMP/mail" 'results 1')" "1 tried o'hara+x=y@a-b.test ok 250 2.0.0|queued as 3-1" \
	'the null sender, and an address with odd characters'
is "$(said sink | grep '^MAIL' | tail -n 1 | cut -d ' ' -f 1-2)" 'MAIL FROM:<>' '... is sent as such'
is "$(probe "send me@a.test '\"a> b\"@a.test' $TMP/mail" 'results 1')" '1 tried "a> b"@a.test ok 250 2.0.0|queued as 4-1' \
	'a quoted local part'
is "$(said sink | grep '^RCPT' | tail -n 1)" 'RCPT TO:<"a> b"@a.test>' '... stays quoted'
is "$(probe "send me@a.test a@a.test $TMP/lf" "send me@a.test a@a.test $TMP/mail" 'results 2')" \
	'1 tried a@a.test failed 0 5.6.0|not sent: the message has a bare LF
2 tried a@a.test ok 250 2.0.0|queued as 5-1' 'a refused message does not harm the next'
