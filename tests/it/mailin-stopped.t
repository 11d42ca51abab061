#!/bin/sh
# SIGTERM in each phase: deferred at once, and nothing of ours stays.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
use_broker
own_parser

# stopped NAME: mailin is running as $pid with the output in $TMP/out
stopped() {
	children=$(pgrep -P "$pid")
	kill -TERM "$pid"
	wait "$pid"
	is "$?" 75 "$1: the exit status"
	is "$(cat "$TMP/out")" '4.3.0 mailin: stopped by a signal' "$1: the text"
	wait_for 30 gone "$children"
	is "$?" 0 "$1: the parser is gone"
}
gone() { for process in $1; do [ ! -e "/proc/$process" ] || return 1; done; }
start() {
	"$MAILIN" -c "$CONF" --queue-id "$QUEUE_ID" --sender '' -- support@example.com < "$1" > "$TMP/out" 2>&1 &
	pid=$!
}

mkfifo "$TMP/fifo"
# FIONREAD: until it has been read.
perl -e '
	open my $w, ">", "$ARGV[0]/fifo" or die;
	syswrite $w, "Subject: x\n";
	my $left = pack "i", 1;
	while (unpack "i", $left) {
		select undef, undef, undef, 0.01;
		ioctl $w, 0x541b, $left or die;
	}
	open my $out, ">", "$ARGV[0]/read" or die;
	sleep' "$TMP" &
feeder=$!
at_exit "kill $feeder 2>/dev/null"
start "$TMP/fifo"
wait_for 30 test -e "$TMP/read"
stopped 'while it reads'

echo "hold $TMP/held" > "$TMP/mail"
start "$TMP/mail"
wait_for 30 test -e "$TMP/held"
stopped 'while the parser works'
rm -f "$TMP/held"

perl -MSocket -e '
	$| = 1;
	socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
	bind($s, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die;
	listen($s, 5) or die;
	print +(unpack_sockaddr_in(getsockname($s)))[0], "\n";
	accept(my $c, $s) && print "connected\n";
	sleep 60' > "$TMP/port" &
server=$!
at_exit "kill $server 2>/dev/null"
wait_for 30 test -s "$TMP/port"
real_port=$AMQP_PORT
AMQP_PORT=$(head -n 1 "$TMP/port")
write_config < /dev/null
echo x > "$TMP/mail"
start "$TMP/mail"
wait_for 30 grep -q connected "$TMP/port"
stopped 'while it talks to the broker'
AMQP_PORT=$real_port
is "$(waiting)" 0 'nothing is published'
done_testing
