#!/bin/sh
# A mail's own words about its sender: mailin and mailin-ingest believe the fields of one server, and nobody else.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 25
use_sandbox --only broker,database
ingest_setup
cat >> "$TMP/conf" << 'END'

[mailpipe]
authserv_ids = mx.example.com

[route vouched]
recipients = vouched@example.com
require = spf-or-dkim

[route open]
recipients = open@example.com

[route locked]
recipients = locked@example.com
require = dmarc
unverified = refuse
END
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"

# post SUBJECT FROM RECIPIENT FIELD ...: as Postfix would hand it over.
number=0
post() {
	number=$((number + 1))
	subject=$1 from=$2 to=$3
	shift 3
	{
		[ $# -eq 0 ] || printf '%s\n' "$@"
		[ -z "$from" ] || printf 'From: %s\n' "$from"
		printf 'To: %s\nSubject: %s\nMessage-ID: <%s@test>\n\nHello\n' "$to" "$subject" "$number"
	} | "$BUILD/sbin/mailin" -c "$TMP/conf" --queue-id "Q$number" --client 192.0.2.1 ${login:+--sasl-username "$login"} --sender ann@shop.example -- "$to" ||
		die "mailin: $?"
}
login=
ours='Authentication-Results: mx.example.com; dkim=pass header.d=shop.example'
dmarc='Authentication-Results: mx.example.com;
	dmarc=pass (p=none dis=none) header.from=shop.example'
me='Ann <ann@shop.example>'

post good "$me" vouched@example.com "$ours"
post folded "$me" locked@example.com "$dmarc"
post subdomain 'ann@mail.shop.example' vouched@example.com "$ours"
post two-fields "$me" locked@example.com 'Authentication-Results: mx.example.com; spf=fail smtp.mailfrom=x.example' "$dmarc"
login=ann
post login "$me" locked@example.com
login=
post foreign "$me" vouched@example.com 'Authentication-Results: mx.evil.example; dkim=pass header.d=shop.example'
post no-id "$me" vouched@example.com 'Authentication-Results: dkim=pass header.d=shop.example'
post arc-only "$me" vouched@example.com 'ARC-Authentication-Results: i=1; mx.example.com; dkim=pass header.d=shop.example'
post old-name "$me" vouched@example.com 'X-Authentication-Results: mx.example.com; dkim=pass header.d=shop.example'
post body "$me" vouched@example.com 'X-Note: x

Authentication-Results: mx.example.com; dkim=pass header.d=shop.example'
post injected "$me" vouched@example.com \
	'Authentication-Results: mx.example.com; spf=fail smtp.mailfrom="x; dkim=pass header.d=shop.example"@evil.example'
post lookalike 'Ann <ann@shop.example.evil.example>' vouched@example.com "$ours"
post suffix 'ann@good.github.io' vouched@example.com 'Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=x@evil.github.io'
post below "$me" vouched@example.com 'Received: from x by y; Sun, 22 Nov 2026 12:00:00 +0000' "$ours"
post misled "$me" vouched@example.com 'Authentication-Results: mx.example.com; dkim=pass header.d=evil.example header.i=a; dkim=pass header.d=shop.example header.i=@evil.example' \
	'DKIM-Signature: v=1; d=evil.example; s=s; i=a=3B=20dkim=3Dpass=20header.d=3Dshop.example=20header.i=3D@evil.example; h=from; bh=x; b=x'
post no-from '' vouched@example.com "$ours"
post two-froms "$me, Bob <bob@bank.example>" vouched@example.com "$ours"
post two-from-fields 'ann@bank.example' vouched@example.com "From: $me" "$ours"
post refused "$me" locked@example.com "$ours"
post refused-foreign "$me" locked@example.com "$(echo "$dmarc" | sed s/mx.example/mx.evil/)"

ingest_start
settled() { [ "$(sql 'SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM quarantine)')" = 18 ] && [ "$(events dead)" = 2 ]; }
wait_for 60 settled
ingest_stop
is "$(sql 'SELECT subject, verified FROM messages ORDER BY subject' | tr '\t' ' ')" 'folded yes
good yes
login yes
subdomain yes
two-fields yes' 'what our server vouches for is stored'
is "$(sql "SELECT IF(subject = '', 'body', subject) AS name FROM quarantine ORDER BY name")" 'arc-only
below
body
foreign
injected
lookalike
misled
no-from
no-id
old-name
suffix
two-from-fields
two-froms' 'all else is in quarantine'
is "$(sed -n 's/.* event=dead .*reason="\(.*\)"$/\1/p' "$TMP/log" | sort -u)" "the sender is not known: no result of a believed server
the sender's domain is not established by DMARC: spf=? dkim=pass dmarc=?" 'or refused'
is "$(probe count mail.dead)" 2 'in mail.dead'
is "$(sed -n 's/.* event=no-notice kind=failed why=//p' "$TMP/log")" unverified \
	'of which nobody is told whose address is but a claim'
is "$(sed -n 's/.* event=notice kind=failed id=[^ ]* //p' "$TMP/log")" to=ann@shop.example 'but one who is known'

defects() { sql "SELECT JSON_EXTRACT(CONVERT(document USING utf8mb4), '\$.Mailpipe.Defects') FROM quarantine WHERE subject = '$1'"; }
is "$(defects foreign)" '["no Date", "authentication results of a foreign server"]' 'a field of a foreign server is named'
is "$(defects no-id)" '["no Date", "broken authentication results"]' 'and one that nobody can read'
is "$(defects below)" '["no Date", "authentication results from outside"]' 'a field that came from outside'
is "$(defects misled)" "[\"no Date\", \"signer's identity made for forging results\"]" 'a signature that makes results'
is "$(defects arc-only)" '["no Date"]' 'others are others'
verdicts() { sql "SELECT verdicts FROM $1 WHERE subject = '$2'" | jq -c '[.SPF, .DKIM, .DMARC, .AuthservID, .Aligned.SPF, .Aligned.DKIM, .SaslUsername]'; }
is "$(verdicts messages good)" '["","pass","","mx.example.com",false,true,""]' 'verdicts: aligned DKIM'
is "$(verdicts messages subdomain)" '["","pass","","mx.example.com",false,true,""]' 'relaxed'
is "$(verdicts messages two-fields)" '["fail","","pass","mx.example.com",false,false,""]' 'of two fields'
is "$(verdicts messages login)" '["","","","",false,false,"ann"]' 'of a login'
is "$(verdicts quarantine foreign)" '["","","","",false,false,""]' 'of a foreign server nothing'
is "$(verdicts quarantine injected)" '["fail","","","mx.example.com",false,false,""]' 'what is quoted is no result'
is "$(verdicts quarantine lookalike)" '["","pass","","mx.example.com",false,false,""]' 'of a lookalike'
is "$(verdicts quarantine suffix)" '["pass","","","mx.example.com",false,false,""]' 'below a public suffix'
is "$(verdicts quarantine two-froms)" '["","pass","","mx.example.com",false,false,""]' 'of two addresses in From'

# Without a server to believe, nothing is said of fields.
sed -i '/^authserv_ids/d' "$TMP/conf"
post unconfigured "$me" vouched@example.com "$ours"
ingest_start
held() { [ "$(sql "SELECT COUNT(*) FROM quarantine WHERE subject = 'unconfigured'")" = 1 ]; }
ok 'without authserv_ids nobody is believed' wait_for 30 held
is "$(defects unconfigured)" '["no Date"]' 'and nothing foreign'
is "$(sql "SELECT reason FROM quarantine WHERE subject = 'unconfigured'")" 'the sender is not known: no result of a believed server' 'why'
# An open route stores all, and says what is known.
post open "$me" open@example.com
open_is() { [ "$(sql "SELECT verified FROM messages WHERE subject = 'open'")" = unchecked ]; }
ok 'a route that requires nothing stores it, unchecked' wait_for 30 open_is
# A mail that a server of ours has looked at before.
sed -i '0,/^\[mailpipe\]/s//&\nauthserv_ids = mx.example.com\nauthserv_hops = 2/' "$TMP/conf"
post gateway "$me" vouched@example.com 'Received: from x by y; Sun, 22 Nov 2026 12:00:00 +0000' "$ours" \
	'Received: from z by x; Sun, 22 Nov 2026 12:00:00 +0000'
gateway_is() { [ "$(sql "SELECT verified FROM messages WHERE subject = 'gateway'")" = yes ]; }
ok 'authserv_hops: believed below the first Received' wait_for 30 gateway_is
ingest_stop
