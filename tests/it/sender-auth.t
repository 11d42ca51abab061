#!/bin/sh
# No message leaves without the authentication that was asked for, and no password over a connection that others may read.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 15

message mail hello
printf 'geheim\n' > "$TMP/password"
printf 'falsch\n' > "$TMP/wrong"
# one PASSWORD-FILE ARGUMENT ...: a server gets one message; sets result.
one() {
	count=$((${count:-0} + 1))
	name=one$count
	file=$1
	shift
	hostile "$name" --login me geheim "$@"
	config "hosts = 127.0.0.1:$port" 'user = me' "password_file = $TMP/$file" 'timeout = 60s'
	result=$(probe "send me@a.test a@a.test $TMP/mail" 'results 1' | sed "s/:$port/:PORT/")
}
fine='1 tried a@a.test ok 250 2.0.0|queued as 1-1'

one password --ehlo 'AUTH PLAIN LOGIN'
is "$result" "$fine" 'AUTH PLAIN'
is "$(said "$name" | grep '^AUTH')" "AUTH PLAIN $(printf '\0me\0geheim' | base64)" '... with user and password'
one password --ehlo 'AUTH LOGIN'
is "$result" "$fine" 'AUTH LOGIN'
one password --ehlo 'AUTH CRAM-MD5 NTLM GSSAPI PLAIN'
is "$result" "$fine" 'mechanisms that we do not speak stand before PLAIN'
is "$(said "$name" | grep -v '^AUTH PLAIN' | grep -ci "$(printf geheim | base64)")" 0 '... and do not get the password'

one wrong --ehlo 'AUTH PLAIN LOGIN'
is "$result" "1 untried a@a.test deferred 535 4.7.8|127.0.0.1:PORT: authentication failed: 535 5.7.8 authentication credentials invalid" \
	'a wrong password: the session is not used'
is "$(count_of "$name" '> MAIL')" 0 '... no MAIL leaves'
one password --ehlo 'AUTH PLAIN' --at 'auth=reply 454 4.7.0 temporary failure'
is "$result" '1 untried a@a.test deferred 454 4.7.8|127.0.0.1:PORT: authentication failed: 454 4.7.0 temporary failure' \
	'a temporary failure'
one password --ehlo 'AUTH PLAIN' --at 'auth=reply 534 5.7.9 too weak'
is "$result" '1 untried a@a.test deferred 534 4.3.2|127.0.0.1:PORT: 534 5.7.9 too weak' 'a mechanism that is too weak'
one password --ehlo 'SIZE 1000000'
is "$result" '1 untried a@a.test deferred 0 4.7.0|127.0.0.1:PORT: the server offers neither AUTH PLAIN nor AUTH LOGIN' \
	'a server that does not offer AUTH'
one password --at 'ehlo=reply 502 5.5.1 EHLO? never heard' --ehlo 'AUTH PLAIN'
like "$result" '^1 untried a@a.test deferred 502 ' 'a server that knows only HELO'
one missing --ehlo 'AUTH PLAIN'
is "$result" "1 untried a@a.test deferred 0 4.3.5|127.0.0.1:PORT: smtp.password_file: $TMP/missing: No such file or directory" \
	'no password file'
is "$(count_of "$name" .)" 0 '... no connection'

# The password is read anew for each session.
cp "$TMP/wrong" "$TMP/passwd"
hostile changing --login me geheim --ehlo 'AUTH PLAIN'
config "hosts = 127.0.0.1:$port" 'user = me' "password_file = $TMP/passwd"
is "$(probe 'make me@a.test a@a.test 500 3' 'count 3' "system \"cp $TMP/password $TMP/passwd\"" 'make me@a.test a@a.test 500 3' 'count 3')" \
	'3: 3 deferred
3: 3 ok' 'a password that is put right while it runs'

# An address of this machine that is not the loopback.
address=$(hostname -I | cut -d ' ' -f 1)
if [ -z "$address" ]; then
	pass 'a server elsewhere without TLS does not get the password # SKIP there is no other address'
	exit
fi
hostile plain --login me geheim --ehlo 'AUTH PLAIN' --address "$address"
config "hosts = $address:$port" 'user = me' "password_file = $TMP/password"
is "$(probe "send me@a.test a@a.test $TMP/mail" 'results 1')" \
	"1 untried a@a.test deferred 0 4.7.0|$address:$port: no password goes over an unencrypted connection (smtp.tls)" \
	'a server elsewhere without TLS does not get the password'
