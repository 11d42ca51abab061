#!/bin/sh
# SendAt, ExpiresAt and DryRun.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
probe events
in_s() { date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ; }
at=$(($(date +%s) + 15))
requests 3 "\"SendAt\": \"$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)\"" | publish
first=4 requests 3 "\"SendAt\": \"$(in_s -60)\", \"ExpiresAt\": \"$(in_s 60)\"" | publish
first=7 requests 3 "\"ExpiresAt\": \"$(in_s -1)\"" | publish
first=10 requests 3 '"DryRun": true' | publish
mailout_start
recorded 'dry-run 3,expired 3,scheduled 3,sent 3'
is "$(mail_numbers | tr '\n' ' ')" '4 5 6 ' 'at once goes what is due'
recorded 'dry-run 3,expired 3,sent 6'
is "$(mail_numbers | tr '\n' ' ')" '1 2 3 4 5 6 ' 'the others at their time'
is "$(awk -F'\t' -v at="$at" -v tag="$TAG" '$5 ~ tag " [123]$" && ($1 < at || $1 > at + 20)' "$SINK/mails" | wc -l)" 0 \
	'not earlier, and not much later'
is "$(sql "SELECT MAX(attempts) FROM outbound WHERE status = 'sent'")" 1 'waiting is no try'
wait_for 30 is_empty mail.out.transactional
mailout_stop
is "$(probe take test.events | grep '^{' | jq -r .RecordType | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
	' 6 Delivery, 3 Expiry,' 'an event for what expired'
is "$(waiting mail.dead) $(waiting mail.retry.300ms) $(waiting mail.retry.600ms)" '0 0 0' 'nothing is left'
done_testing
