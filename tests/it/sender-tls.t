#!/bin/sh
# With smtp.tls = starttls no message and no password leaves but over TLS to the server that was meant.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/sender.sh"
plan 19

# certificate NAME SUBJECT-ALT-NAME
certificate() {
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$TMP/$1.key" -out "$TMP/$1.csr" 2> /dev/null
	echo "subjectAltName=$2" > "$TMP/$1.ext"
	openssl x509 -req -in "$TMP/$1.csr" -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" -CAcreateserial -days "${3:-2}" \
		-extfile "$TMP/$1.ext" -out "$TMP/$1.pem" 2> /dev/null
}
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mailpipe-test -keyout "$TMP/ca.key" -out "$TMP/ca.pem" 2> /dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout "$TMP/other.key" -out "$TMP/other.pem" 2> /dev/null
certificate localhost DNS:localhost
certificate elsewhere DNS:elsewhere.test
certificate numbered IP:127.0.0.1
certificate expired DNS:localhost -1

message mail hello
printf 'geheim\n' > "$TMP/password"

# one HOST CERTIFICATE ARGUMENT ...: a server gets one message; sets result.
one() {
	count=$((${count:-0} + 1))
	name=one$count
	host=$1
	certificate=$2
	shift 2
	hostile "$name" --tls "$TMP/$certificate.pem" "$TMP/$certificate.key" --login me geheim "$@"
	config "hosts = $host:$port" 'tls = starttls' "tls_ca_file = ${ca:-$TMP/ca.pem}" 'user = me' "password_file = $TMP/password" \
		'timeout = 60s'
	result=$(probe "send me@a.test a@a.test $TMP/mail" 'results 1' | sed "s/:$port/:PORT/")
}
# leaked: commands that went over the wire in the clear and must not.
leaked() { sed '/encrypted/,$d' "$TMP/$name/log" | grep -Ec '> (AUTH|MAIL|RCPT|DATA)'; }
fine='1 tried a@a.test ok 250 2.0.0|queued as 1-1'
untrusted='4.7.5|localhost:PORT: the server'"'"'s certificate is not trusted:'
offered='STARTTLS'

one localhost localhost --ehlo $offered 'AUTH PLAIN' CHUNKING
is "$result" "$fine" 'by name'
is "$(leaked) $(count_of "$name" encrypted)" '0 1' '... all over TLS'
is "$(grep -c 'sni localhost' "$TMP/$name/log")" 1 '... to the name that we want (SNI)'
is "$(probe 'make me@a.test a@a.test 300000 20' 'count 20')" '20: 20 ok' 'large messages'
one 127.0.0.1 numbered --ehlo $offered 'AUTH PLAIN'
is "$result" "$fine" 'by address'

one localhost elsewhere --ehlo $offered 'AUTH PLAIN'
is "$result $(leaked)" "1 untried a@a.test deferred 0 $untrusted hostname mismatch 0" 'a certificate for another name'
one 127.0.0.1 localhost --ehlo $offered 'AUTH PLAIN'
is "$result" "1 untried a@a.test deferred 0 $(echo "$untrusted" | sed s/localhost/127.0.0.1/) IP address mismatch" 'an address that it is not made for'
one localhost expired --ehlo $offered 'AUTH PLAIN'
is "$result $(leaked)" "1 untried a@a.test deferred 0 $untrusted certificate has expired 0" 'an old certificate'
ca=$TMP/other.pem
one localhost localhost --ehlo $offered 'AUTH PLAIN'
is "$result $(leaked)" "1 untried a@a.test deferred 0 $untrusted unable to get local issuer certificate 0" 'another authority'
ca=$TMP/missing.pem
one localhost localhost --ehlo $offered 'AUTH PLAIN'
like "$result" "^1 untried a@a.test deferred 0 4.7.5\|localhost:PORT: smtp.tls_ca_file: cannot read $TMP/missing.pem: " 'no CA file'
ca=

one localhost localhost --ehlo 'AUTH PLAIN'
is "$result" '1 untried a@a.test deferred 0 4.7.0|localhost:PORT: the server does not offer STARTTLS' 'STARTTLS is not offered'
is "$(leaked)" 0 '... nothing leaves'
one localhost localhost --ehlo $offered --at 'starttls=reply 454 4.7.0 TLS not available'
is "$result $(leaked)" '1 untried a@a.test deferred 454 4.3.2|localhost:PORT: 454 4.7.0 TLS not available 0' 'STARTTLS is refused'
one localhost localhost --at 'ehlo=reply 500 5.5.1 what' --ehlo $offered
is "$result $(leaked)" '1 untried a@a.test deferred 0 4.7.0|localhost:PORT: the server does not offer STARTTLS 0' 'a server that knows only HELO'
one localhost localhost --ehlo $offered --at 'starttls=raw 220 go\r\nthis is no TLS at all\r\n'
like "$result" '^1 untried a@a.test deferred 0 4' 'no TLS behind STARTTLS'

# What a man in the middle adds in the clear is not taken for the server's word.
one localhost localhost --ehlo $offered 'AUTH PLAIN' --at 'starttls=raw 220 go\r\n250-hostile.test\r\n250 AUTH LOGIN\r\n'
is "$result" '1 untried a@a.test deferred 0 4.5.0|localhost:PORT: plain text behind the reply to STARTTLS' 'plain text behind the reply to STARTTLS'
is "$(leaked)" 0 '... nothing leaves'
one localhost localhost --ehlo $offered 'AUTH PLAIN' \
	--at 'ehlo#1=raw 250-hostile.test\r\n250 STARTTLS\r\n220 go\r\n250-hostile.test\r\n250 AUTH LOGIN\r\n'
is "$result $(leaked)" '1 untried a@a.test deferred 0 4.5.0|localhost:PORT: the server spoke out of turn 0' 'a reply to STARTTLS before it was asked'

hostile lost --tls "$TMP/localhost.pem" "$TMP/localhost.key" --ehlo $offered --at '1/dot#2=close' --at '1/mail#4=close'
config "hosts = localhost:$port" 'tls = starttls' "tls_ca_file = $TMP/ca.pem"
is "$(probe 'make me@a.test a@a.test 5000 6' 'count 6')" '6: 5 ok 1 in-doubt' 'a connection that breaks under TLS'
