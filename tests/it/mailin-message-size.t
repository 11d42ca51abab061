#!/bin/sh
# A mail of exactly limits.message_size passes, one byte more is refused without reading on.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 8
use_broker
write_config <<END
[limits]
message_size = 300000
END

make_mail() { perl -e 'print "Subject: x\n\n"; print "y" x ($ARGV[0] - 13), "\n"' "$1"; }
make_mail 300000 > "$TMP/mail"
deliver < "$TMP/mail"
is_result 0 '' 'as large as allowed'
make_mail 300001 > "$TMP/mail"
deliver < "$TMP/mail"
is_result 69 '5.3.4 the mail is larger than 300000 bytes' 'one byte larger'
is "$(waiting)" 1 'one of them is published'

# A sender that never stops and never closes: the answer must not wait for it.
mkfifo "$TMP/endless"
{ make_mail 2000000; sleep 60; } > "$TMP/endless" 2> /dev/null &
feeder=$!
begun=$(date +%s)
deliver < "$TMP/endless"
is_result 69 '5.3.4 the mail is larger than 300000 bytes' 'a mail without an end'
ok 'it is said at once' test $(($(date +%s) - begun)) -lt 50
kill "$feeder"
