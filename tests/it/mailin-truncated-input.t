#!/bin/sh
# Standard input ended before the mail did (${size} of Postfix tells): the mail waits.  What milters do to the
# size must not defer a mail.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
use_broker
perl -e 'print "Received: x\nSubject: x\n\n"; print "y" x 70, "\n" for 1 .. 3000' > "$TMP/mail"
# The records of the queue file: a byte of type, the length in groups of 7 bits, the line.
size=$(perl -ne 'chomp; $n = length; $sum += 1 + ($n < 128 ? 1 : 2) + $n; END { print $sum }' "$TMP/mail")
sized() { mailin --queue-id "${2-$QUEUE_ID}" --size "$1" --sender '' -- support@example.com; }
short() {
	is "$STATUS" 75 "$1"
	like "$OUT" "^4\.3\.0 the mail was cut off: [0-9]+ of $size bytes came\$" "$1: the text"
}

sized "$size" < "$TMP/mail"
is_result 0 '' 'the whole mail'
{ printf 'Return-Path: <>\nX-Original-To: support@example.com\nDelivered-To: support@example.com\n'; cat "$TMP/mail"; } \
	> "$TMP/with-headers"
sized "$size" < "$TMP/with-headers"
is_result 0 '' 'with the headers that pipe(8) puts before it'

head -c 100000 "$TMP/mail" > "$TMP/part"
sized "$size" < "$TMP/part"
short 'a part'
head -c -1 "$TMP/mail" > "$TMP/part"
sized "$size" "$QUEUE_ID" < "$TMP/part"
is_result 0 '' 'the last newline is no part of a record'
head -c -2 "$TMP/mail" > "$TMP/part"
sized "$size" < "$TMP/part"
short 'one letter less'
head -c 100000 "$TMP/with-headers" > "$TMP/part"
sized "$size" < "$TMP/part"
short 'a part with headers'
head -n 1000 "$TMP/mail" > "$TMP/part"
sized "$size" "$(perl -e '
	my @d = split //, "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
	my ($n, $id) = (time, "");
	while ($n) { $id = $d[$n % 52] . $id; $n = int $n / 52 }
	print $id, "0000z1"')" < "$TMP/part"
short 'whole lines, but much less than milters explain'
: > "$TMP/part"
sized "$size" "4bKxYJ5sG9" < "$TMP/part"
short 'nothing'
is "$(waiting)" 3 'only whole mails are published so far'

sized $((size + 37)) < "$TMP/mail"
is_result 0 '' 'a milter looked at it'
sized $((size + 5000)) < "$TMP/mail"
is_result 0 '' 'a milter deleted headers'
sized $((size - 5000)) < "$TMP/mail"
is_result 0 '' 'a milter added headers'
sized $((size + 500000)) 2bKxYJ5sG9z1Wk2 < "$TMP/mail"
is_result 0 '' 'as short for more than an hour'
done_testing
