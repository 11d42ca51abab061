#!/bin/sh
# What a route requires and what it does with mails that lack it: each pair, for mails that have proven this or
# that, through broker and database.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 12
use_sandbox --only broker,database
ingest_setup
mkdir "$TMP/admission"
"$TREE/tests/lib/admission.py" "$TMP/admission" || die 'admission.py'
cat "$TMP/admission/config" >> "$TMP/conf"
ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
ctl setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
sql < "$TMP/admission/sql"
for file in "$TMP/admission"/documents.*; do
	probe publish "${file##*/documents.}" < "$file"
done
all=$(wc -l < "$TMP/admission/expected")
ingest_start
places() {
	sql "SELECT CAST(RIGHT(HEX(id), 12) AS UNSIGNED), 'stored', verified FROM messages
		UNION ALL SELECT CAST(RIGHT(HEX(id), 12) AS UNSIGNED), 'quarantine', '-' FROM quarantine"
	ctl dead list --json --limit=0 | jq -r '.Messages[] | [(.MessageID[-12:] | tonumber | tostring), "dead", "-"] | @tsv'
}
all_there() { [ "$(places | wc -l)" = "$all" ]; }
wait_for 60 all_there
ingest_stop
places | tr '\t' ' ' | sort -n > "$TMP/places"
cut -d' ' -f1,4,5 "$TMP/admission/expected" | sort -n > "$TMP/wanted"
ok "each of $all mails is where it belongs" diff "$TMP/wanted" "$TMP/places"
is "$(ctl dead list --json --limit=0 | jq '.Messages | length')" "$(grep -c ' dead ' "$TMP/wanted")" 'each dead letter once'

# The reasons, in words for the operator.
is "$(sql "SELECT DISTINCT reason FROM quarantine WHERE route = 'dmarc-quarantine' ORDER BY 1")" \
	"the sender is not known: no result of a believed server
the sender's domain is not established by DMARC: spf=fail dkim=none dmarc=fail
the sender's domain is not established by DMARC: spf=fail dkim=pass dmarc=fail
the sender's domain is not established by DMARC: spf=pass (for another domain) dkim=pass (for another domain) dmarc=fail
the sender's domain is not established by DMARC: spf=pass dkim=none dmarc=fail" 'why: DMARC'
is "$(sql "SELECT DISTINCT reason FROM quarantine WHERE route = 'token-quarantine' ORDER BY 1")" \
	'the address written to has no token that is valid for its sender' 'why: token'
is "$(sql "SELECT DISTINCT reason FROM quarantine WHERE route = 'registered-quarantine' ORDER BY 1")" \
	"the sender is not registered for the address written to
the sender's domain is not established: spf=fail dkim=none dmarc=fail" 'why: registered'
is "$(ctl dead list --json --limit=0 | jq -r '.Messages[] | select(.Origin == "mail.in.token-refuse") | .Reason' | sort -u)" \
	'the address written to has no token that is valid for its sender' 'why: a dead letter'

# What the application may know of it.
is "$(sql "SELECT status, COUNT(*) FROM message_states GROUP BY status ORDER BY status" | tr '\t' ' ')" \
	"failed $(grep -c ' dead ' "$TMP/wanted")
quarantined $(grep -c ' quarantine ' "$TMP/wanted")
stored $(grep -c ' stored ' "$TMP/wanted")" 'message_states knows all of them'
is "$(sql "SELECT verdicts FROM messages WHERE route = 'dmarc-quarantine' AND verified = 'yes' ORDER BY id LIMIT 1")" \
	'{"SPF":"fail","DKIM":"none","DMARC":"pass","ARC":"","AuthservID":"mx.example.com","Aligned":{"SPF":false,"DKIM":false},"SaslUsername":""}' \
	'the verdicts are kept'
is "$(sql "SELECT owner_id, COUNT(*) FROM messages WHERE route = 'registered-accept' GROUP BY owner_id ORDER BY 1" | tr '\t' ' ')" \
	"NULL 9
member-14 3
token-14 2" 'and whose they are'
is "$(events quarantined) $(events dead) $(events no-notice)" \
	"$(grep -c ' quarantine ' "$TMP/wanted") $(grep -c ' dead ' "$TMP/wanted") $(grep -c ' dead ' "$TMP/wanted")" \
	'a line in the log for each'
like "$(grep -m 1 'event=quarantined .*route=dmarc-' "$TMP/log")" \
	' Q1 00000000-0000-8000-8000-[0-9]+ event=quarantined route=dmarc-quarantine from=ann@example.net to=dmarc-quarantine@example.com status=5.7.26 reason="the sender' \
	'which names all'
is "$(grep -c 'secret' "$TMP/log")" 0 'and no token'
