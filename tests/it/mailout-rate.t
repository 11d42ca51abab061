#!/bin/sh
# A stream's rate: N messages take N/rate seconds over all sessions, and no second has more than the rate allows.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
plan 5
use_sandbox --only broker,database
mailout_setup
cat >> "$TMP/conf" <<'END'

[stream transactional]

[stream bulk]
rate = 20
END
requests 100 | publish bulk
mailout_start
delivered 10
first=101 requests 100 | publish
others() { [ "$(sed "s/.*$TAG //" "$SINK/mails" | awk '$1 > 100' | wc -l)" = 100 ]; }
ok 'the other stream does not wait' wait_for 30 others
ok 'though this one is not through' test "$(mail_count)" -lt 200
recorded 'sent 200'
mailout_stop
bulk() { awk -F'\t' -v tag="$TAG" '{ n = $5; sub(tag " ", "", n) } n + 0 <= 100 { print $1 }' "$SINK/mails" | sort -n; }
is "$(bulk | wc -l)" 100 'all are sent'
took=$(bulk | awk 'NR == 1 { first = $1 } END { print $1 - first }')
ok "100 at 20 a second take at least 4.95 s ($took)" awk -v took="$took" 'BEGIN { exit !(took > 4.9 && took < 30) }'
# The sink sees a message later than it was let go, and two that were let go apart together when it had to wait for
# a processor; tests/unit/rate_test.c is exact.  Each of the two sessions by itself would make 40.
most=$(bulk | awk '{ t[NR] = $1 } END { for (i = 1; i <= NR; i++) { n = 0; for (j = i; j <= NR && t[j] < t[i] + 0.99; j++) n++;
	if (n > most) most = n } print most }')
ok "no second has many more than 20 ($most)" test "$most" -lt 40
