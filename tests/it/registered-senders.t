#!/bin/sh
# Who is taken for a registered sender: not who has an address that looks, or is stored, or was once converted like it.
# And a token of ours does not stand in a row, however the address was written.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 9
use_sandbox --only broker,database
ingest_setup
cat >> "$TMP/conf" << 'END'

[mailpipe]
authserv_ids = mx.example.com

[route club]
recipients = club@example.com
require = registered

[route public]
recipients = public@example.com
END
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
ctl address add club@example.com --owner=club --sender='*@friend.example' --sender=ann@strasse.example \
	--sender=Jörg@BÜCHER.example > "$TMP/out" || die "$(cat "$TMP/out")"
ok 'a sender without a domain is none' sh -c '! "$@" 2> /dev/null' - "$BUILD/bin/mailctl" --config "$TMP/conf" address add \
	club@example.com --sender='ann@a‮b.example'

# post SUBJECT FROM DOMAIN RECIPIENT: DOMAIN has signed it.
number=0
post() {
	number=$((number + 1))
	printf '%s\n' "Authentication-Results: mx.example.com; dkim=pass header.d=$3" "From: <$2>" "To: <$4>" "Subject: $1" \
		"Message-ID: <$number@test>" "" "Hello" |
		"$BUILD/sbin/mailin" -c "$TMP/conf" --queue-id "Q$number" --client 192.0.2.1 --sender "x@$3" -- "$4" || die "mailin: $?"
}
# run OF-LETTER COUNT
run() { printf "%*s" "$2" '' | sed "s/ /$1/g"; }
post friend bob@friend.example friend.example club@example.com
post unicode jörg@bücher.example xn--bcher-kva.example club@example.com
post ascii JÖRG@xn--bcher-kva.example bücher.example club@example.com
post apart "JO$(printf '\314\210')RG@bu$(printf '\314\210')cher.example" xn--bcher-kva.example club@example.com
# Another domain, whose owner has signed it (IDNA 2003 took it for the registered one).
post eszett ann@straße.example xn--strae-oqa.example club@example.com
# Cut to the width of the column this would be somebody at friend.example.
post cut "$(run a 305)@friend.example.evil.example" evil.example club@example.com
post quoted '"bob@friend.example"@evil.example' evil.example club@example.com
# Its lower case is twice as long as the column.
post longer "$(run İ 300)@friend.example" friend.example public@example.com

ctl address add public@example.com --token --owner=ann > "$TMP/out" || die "$(cat "$TMP/out")"
token=$(grep -Eo '\+[a-z2-7]{26}@' "$TMP/out" | head -n 1 | tr -d '+@')
post token bob@friend.example friend.example "public+$token@example.com"
post token-dots bob@friend.example friend.example "public+$token$(run . 200)@example.com"
post token-more bob@friend.example friend.example "public+${token}a@example.com"
post token-tail bob@friend.example friend.example "public+x$token-z@example.com"
total=12
ingest_start
settled() { [ "$(sql 'SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM quarantine)')" = $total ]; }
wait_for 60 settled || diag "$(tail "$TMP/log")"
ingest_stop
is "$(sql "SELECT subject, owner_id FROM messages WHERE route = 'club' ORDER BY subject" | tr '\t' ' ')" 'apart club
ascii club
friend club
unicode club' 'those who are registered, in both forms of their domain'
is "$(sql 'SELECT subject FROM quarantine ORDER BY subject')" 'cut
eszett
quoted' 'and nobody else'
is "$(sql "SELECT from_email FROM quarantine WHERE subject = 'cut'")" '' 'an address that is too long is none'
is "$(sql "SELECT CONCAT(from_email, JSON_EXTRACT(defects, '\$')) FROM messages WHERE subject = 'longer'")" \
	'["no Date"]' 'nor one whose lower case is'
is "$(sql "SELECT subject, COALESCE(owner_id, '-'), recipient FROM messages WHERE subject LIKE 'token%' ORDER BY subject" | tr '\t' ' ')" \
	"token ann public@example.com
token-dots ann public@example.com
token-more - public+**************************a@example.com
token-tail - public+x**************************-z@example.com" 'a token does not stand in the recipient'
is "$(sql "SELECT COUNT(*) FROM messages WHERE LOCATE('$token', CONCAT(headers, to_json, recipient, mailbox_hash, COALESCE(text_body, ''))) > 0")" 0 \
	'nor anywhere else in the row'
is "$(grep -c "$token" "$TMP/log")" 0 'nor in the log'
is "$(events quarantined) $(events dead)" '3 0' 'nothing is a dead letter'
