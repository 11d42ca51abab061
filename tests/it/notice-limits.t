#!/bin/sh
# The limits of notices hold over two workers at the same time and over a restart.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
use_sandbox --only broker,database
mailout_setup
notice_setup
notice_set per_address_per_day 20
notice_set per_hour 50

# Neither an hour nor a day ends within the test.
within_the_hour 60

mail "$verified" | post ann@x.example > "$TMP/one"
# A hundred mails of a sender.
copies() {
	jq -c --arg sender "$1" '.Mailpipe.Envelope.Sender = $sender | range(100) as $n |
		.MessageID |= sub("...$"; "\($n + 100)")' "$TMP/one"
}
copies ann@x.example > "$TMP/ann"
copies bob@x.example > "$TMP/bob"
worker() { "$BUILD/tests/it/notice_probe" "$TMP/conf" delayed 4.3.0 < "$1" > "$TMP/requests.$2" 2> "$TMP/words.$2"; }
ended() { for pid in "$@"; do wait "$pid" || die 'a worker fails'; done; }
worker "$TMP/ann" 1 &
one=$!
worker "$TMP/ann" 2 &
two=$!
ended "$one" "$two"
is "$(cat "$TMP/requests.1" "$TMP/requests.2" | wc -l)" 20 'an address, by two workers'
is "$(cat "$TMP/words.1" "$TMP/words.2" | sort | uniq -c | sed 's/^ *//')" '180 limit' 'no more than that'
worker "$TMP/ann" 3
is "$(cat "$TMP/requests.3"): $(sort -u "$TMP/words.3")" ': limit' 'and after a restart'
worker "$TMP/bob" 4
is "$(wc -l < "$TMP/requests.4")" 20 'another address has its own'
sed -i 's/^per_address_per_day = .*/per_address_per_day = 1000/' "$TMP/conf"
worker "$TMP/bob" 5 &
one=$!
worker "$TMP/ann" 6 &
two=$!
ended "$one" "$two"
is "$(cat "$TMP/requests.5" "$TMP/requests.6" | wc -l)" 10 'all addresses together, in an hour'
mkdir -p "$TMP/gone"
sed -i "s|^state_dir = .*|state_dir = $TMP/gone/away|" "$TMP/conf"
worker "$TMP/ann" 7
is "$(wc -l < "$TMP/requests.7"): $(grep -cx limit "$TMP/words.7"): $(head -n 1 "$TMP/words.7")" \
	"50: 50: notice_probe: $TMP/gone/away/notices.counts: No such file or directory" 'without state_dir each counts for itself'
done_testing
