#!/bin/sh
# pipe(8) is killed while it writes: the part of the mail that came is not published.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 2
use_broker
export TMP
# Its child is mailin; it writes whole lines and dies.
perl -e '
	pipe(my $r, my $w) or die;
	my $child = fork;
	if (!$child) {
		close $w;
		open STDIN, "<&", $r;
		open STDOUT, ">", "$ENV{TMP}/out";
		exec @ARGV;
	}
	close $r;
	syswrite $w, "Subject: x\n\nbegin\n";
	# FIONREAD: until it has been read.
	my $left = pack "i", 1;
	while (unpack "i", $left) {
		select undef, undef, undef, 0.01;
		ioctl $w, 0x541b, $left or die;
	}
	kill KILL => $$' "$MAILIN" -c "$CONF" --queue-id "$QUEUE_ID" --sender '' -- support@example.com
wait_for 30 test -s "$TMP/out"
like "$(cat "$TMP/out")" '^4\.3\.0 (mailin: stopped by a signal|the process that fed the mail is gone)$' \
	'the verdict, for nobody'
is "$(waiting)" 0 'nothing is published'
