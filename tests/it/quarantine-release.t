#!/bin/sh
# A mail in quarantine: the application cannot read it, nobody is told of it but that it is there; who is let
# through is stored once, however often; and nobody lets himself through.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
plan 40
use_sandbox --only broker,database
mailctl_config
sed -i '/^\[route support\]/,/^recipients/d' "$CONF"
cat >> "$CONF" << END
[log]
target = stderr
[mailpipe]
state_dir = $TMP
[ingest]
backoff_max = 1s
targets = $TREE/mailin/targets
[route support]
recipients = support@example.com
require = dmarc
target = support
END
cp "$CONF" "$TMP/conf"
mailctl setup > "$TMP/setup.log" || die "$(cat "$TMP/setup.log")"
: > "$TMP/log"
at_exit ingest_kill
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
web() { mysql --no-defaults -S "$MYSQL_SOCKET" -u "$USERS-web" -p"$(cat "$SECRETS/web.pw")" -N "$MYSQL_DATABASE" -e "$1" 2>&1; }
held() { sql 'SELECT COUNT(*) FROM quarantine'; }
is_held() { [ "$(held)" = "$1" ]; }
holds() { wait_for 30 is_held "$1" || diag "quarantine has $(held)"; }
quarantine() { mailctl quarantine "$@"; }

probe listen events 'inbound.#'
ingest_start
documents --count 3 --attach 100000 | publish
documents --first 4 --set 'Mailpipe.Envelope.SaslUsername="ann"' | publish
holds 3
stored 1
is "$(sql 'SELECT COUNT(*) FROM attachments') $(sql 'SELECT COUNT(*) FROM messages')" '0 1' 'they are not stored; another one is'

is "$(sql 'SELECT COUNT(*) FROM tickets') $(sql 'SELECT COUNT(*) FROM threads')" '1 1' 'only that one is a ticket'

# ---- who sees what ----
like "$(web 'SELECT * FROM quarantine')" "SELECT command denied to user '$USERS-web'" 'the web user cannot read them'
like "$(web 'SELECT * FROM quarantine_readable')" "SELECT command denied to user '$USERS-web'" 'by the view neither'
is "$(web "SELECT status, reason FROM message_states WHERE id = UNHEX(REPLACE('$(id 1)', '-', ''))")" \
	"quarantined	the sender is not known: no result of a believed server" 'but that there is one'
told() { [ "$(probe count events)" -ge 4 ]; }
wait_for 30 told
is "$(probe take events 4 | grep RecordType | jq -c '[.RecordType, .From, .Subject, .OriginalRecipient]' | sort)" \
	'["Inbound","ann@example.net","A question","support@example.com"]
["InboundQuarantine","","","support@example.com"]
["InboundQuarantine","","","support@example.com"]
["InboundQuarantine","","","support@example.com"]' 'the events tell no more'
is "$(quarantine list --json | jq -c '[.Matched, .Messages[].MessageID[-1:], .Messages[0].From, .Messages[0].Subject, .Messages[0].Route]')" \
	'[3,"1","2","3","ann@example.net","A question","support"]' 'list tells the operator all'
like "$(quarantine list)" "^$(id 1)  support .* no  +ann@example.net  A question  the sender is not known" 'list, for people'
is "$(quarantine show "$(id 1)" --body | sha256sum)" "$(documents --attach 100000 | tr -d '\n' | sha256sum)" 'show --body: the document as it came'
like "$(quarantine show "$(id 2)")" '^Reason +the sender is not known' 'show'
is "$(quarantine show "$(id 2)" --json | jq -r '.Document.MessageID')" "$(id 2)" 'show --json'
quarantine show "$(id 9)" > "$TMP/out"
is "$? $(cat "$TMP/out")" "1 mailctl: quarantine: show: $(id 9): not in quarantine; mailctl trace may know it" 'show of what is not there'
like "$(mailctl trace "$(id 1)")" 'quarantine' 'trace tells'
is "$(mailctl trace --json "$(id 1)" | jq -r ".Messages[0].State")" quarantined "trace --json, too"

is "$(mailctl status --json | jq '.Routes[] | select(.Name == "support").Quarantined')" 3 'status counts them'

# ---- who comes again ----
documents --attach 100000 | publish
settled() { [ "$(grep -cE " event=($1) " "$TMP/log")" -ge "$2" ]; }
wait_for 30 settled quarantined 4
is "$(held) $(rows)" '3 1' 'one that comes again is there once'

# ---- nobody lets himself through ----
# A producer who writes the header; the same id with another text.
documents --attach 100000 | tr -d '\n' | RELEASED=1795348000 probe give support "$(id 1)"
wait_for 30 settled quarantined 5
is "$(held) $(rows)" '3 1' 'a header alone does not help'
ingest_stop

# ---- release ----
quarantine release "$(id 1)" > "$TMP/out"
is "$? $(cat "$TMP/out")" '0 1 of 1 released' 'release'
is "$(quarantine list --json | jq -c '[.Messages[] | has("ReleasedAt")]')" '[true,false,false]' 'it is noted'
# Between release and storing, somebody publishes another mail with that id.
documents --attach 100000 --subject forged | tr -d '\n' | RELEASED=1795348000 probe give support "$(id 1)"
is "$(probe count mail.in.support)" 2 'the message waits, and a forged one'
quarantine release "$(id 1)" > "$TMP/out"
is "$? $(probe count mail.in.support)" '0 3' 'release again'
ingest_start
stored 2
holds 2
wait_for 30 settled 'quarantined|stored|duplicate' 9
is "$(sql "SELECT subject, verified FROM messages WHERE id = UNHEX(REPLACE('$(id 1)', '-', ''))")" 'A question	no' \
	'what was looked at is stored, as unverified'
is "$(rows) $(sql 'SELECT COUNT(*) FROM attachments') $(held)" '2 1 2' 'once'
is "$(sql "SELECT status FROM message_states WHERE id = UNHEX(REPLACE('$(id 1)', '-', ''))")" stored 'message_states'
is "$(sql 'SELECT COUNT(*) FROM inbound_pending')" 2 'its other row is gone'
quarantine release "$(id 1)" > "$TMP/out"
is "$? $(cat "$TMP/out")" '1 0 of 0 released' 'what is stored is no more to be released'
like "$(mailctl trace "$(id 1)")" 'stored' 'trace tells that it is stored'

# ---- interrupted ----
# Killed between the record and the publishing: released, but nowhere.
sql "UPDATE quarantine SET released_at = NOW(3) WHERE id = UNHEX(REPLACE('$(id 2)', '-', ''))"
is "$(quarantine list --json | jq -c '[.Messages[] | has("ReleasedAt")]')" '[true,false]' 'one whose way was cut off'
is "$(quarantine release --route=support --reason='NO RESULT' | tail -n 1)" '2 of 2 released' 'is released again, with the others'
stored 4
holds 0
is "$(rows) $(sql 'SELECT COUNT(DISTINCT id) FROM messages')" '4 4' 'all are stored'
is "$(sql 'SELECT COUNT(*) FROM ticket_messages')" 4 'and become tickets'

# ---- drop ----
documents --first 20 --count 2 | publish
holds 2
quarantine drop --all > "$TMP/out"
is "$? $(cat "$TMP/out")" '1 mailctl: quarantine: drop: 2 mails would be lost for good; say --yes to drop them' 'drop wants to be told'
is "$(quarantine drop --yes "$(id 20)")" '1 of 1 dropped' 'drop'
is "$(sql "SELECT status, reason FROM message_states WHERE id = UNHEX(REPLACE('$(id 20)', '-', ''))")" \
	'failed	dropped from quarantine: the sender is not known: no result of a believed server' 'that is kept'
is "$(quarantine drop --yes --from=ANN@example --older-than=0s --json | tail -n 1)" '{"Matched":1,"Dropped":1}' 'by a filter'

# ---- by age ----
documents --first 30 --count 2 | publish
holds 2
sql "UPDATE quarantine SET quarantined_at = NOW() - INTERVAL 2 DAY, received_at = NOW() - INTERVAL 2 DAY WHERE id = UNHEX(REPLACE('$(id 30)', '-', ''))"
is "$(mailctl purge --older-than=1d --json -n | jq -c '.Routes[] | select(.Name == "support") | [.QuarantineFound, .QuarantineRemoved]')" '[1,0]' \
	'purge --dry-run'
is "$(mailctl purge --older-than=1d --json | jq -c '.Routes[] | select(.Name == "support") | [.QuarantineFound, .QuarantineRemoved]') $(held)" \
	'[1,1] 1' 'purge removes the old ones'
is "$(sql "SELECT COUNT(*) FROM inbound_pending WHERE id = UNHEX(REPLACE('$(id 30)', '-', ''))")" 0 'and what was told of them'
ingest_stop

# ---- the route refuses such mail by now ----
sed -i 's/^require = dmarc/&\nunverified = refuse/' "$TMP/conf"
quarantine release "$(id 31)" > "$TMP/out"
documents --first 40 | tr -d '\n' | RELEASED=1795348000 probe give support "$(id 40)"
ingest_start
holds 0
is "$(sql "SELECT verified FROM messages WHERE id = UNHEX(REPLACE('$(id 31)', '-', ''))")" no 'what an operator lets in is not refused'
wait_for 30 settled dead 1
is "$(events dead) $(sql "SELECT COUNT(*) FROM messages WHERE id = UNHEX(REPLACE('$(id 40)', '-', ''))")" '1 0' 'what says so itself is'
ingest_stop
