#!/bin/sh
# A broker that takes the connection and says nothing: deferred when limits.deadline is over.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 3
perl -MSocket -e '
	$| = 1;
	socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
	bind($s, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die;
	listen($s, 5) or die;
	print +(unpack_sockaddr_in(getsockname($s)))[0], "\n";
	sleep 60' > "$TMP/port" &
server=$!
at_exit "kill $server"
wait_for 30 test -s "$TMP/port"
AMQP_PORT=$(cat "$TMP/port")
write_config <<END
[limits]
deadline = 2s
END
printf 'Subject: x\n\nx\n' > "$TMP/mail"
begun=$(date +%s)
deliver < "$TMP/mail"
is "$STATUS" 75 'deferred'
like "$OUT" '^4\.[34]\.[0-9] ' 'with a reason'
ok 'in time' test $(($(date +%s) - begun)) -le 20
