#!/bin/sh
# A mail that is dropped after its release, while it is on its way, is away for good; the one that is being stored is
# not dropped any more.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
plan 16
use_sandbox --only broker,database
mailctl_config
sed -i '/^\[route support\]/,/^recipients/d' "$CONF"
mkdir "$TMP/targets"
cat >> "$CONF" << END
[log]
target = stderr
[mailpipe]
state_dir = $TMP
[retry]
tiers = 1s
[ingest]
backoff_max = 1s
targets = $TMP/targets
[route support]
recipients = support@example.com
require = dmarc
target = support
END
# Nobody gives up waiting for a lock.
sed -i 's/^\[mysql\]/&\ntimeout = 120s/' "$CONF"
cp "$CONF" "$TMP/conf"
cp "$TREE/mailin/targets/support.sql" "$TMP/targets"
mailctl setup > "$TMP/setup.log" || die "$(cat "$TMP/setup.log")"
: > "$TMP/log"
at_exit ingest_kill
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
row() { echo "UNHEX(REPLACE('$(id "$1")', '-', ''))"; }
held() { sql 'SELECT COUNT(*) FROM quarantine'; }
is_held() { [ "$(held)" = "$1" ]; }
holds() { wait_for 30 is_held "$1" || diag "quarantine has $(held)"; }
quarantine() { mailctl quarantine "$@"; }
state() { sql "SELECT status, reason FROM message_states WHERE id = $(row "$1")"; }
count_of() { [ "$(events "$1")" -ge "$2" ]; }
await() { wait_for 30 count_of "$1" "$2" || diag "$(events "$1") $1: $(tail -n 5 "$TMP/log")"; }
DROPPED='failed	dropped from quarantine: the sender is not known: no result of a believed server'

ingest_start
documents --count 5 | publish
holds 5
ingest_stop

# ---- on its way, twice ----
is "$(quarantine release "$(id 1)"; quarantine release "$(id 1)")" "$(printf '1 of 1 released\n1 of 1 released')" 'released'
is "$(quarantine drop --yes "$(id 1)")" '1 of 1 dropped' 'and then dropped'
# What says so itself, but never was there.
documents --first 9 | tr -d '\n' | RELEASED=1795348000 probe give support "$(id 9)"
ingest_start
await dropped 2
holds 5
is "$(sql "SELECT COUNT(*) FROM quarantine WHERE id = $(row 1)") $(rows)" '0 0' 'it does not come back, and is not stored'
is "$(state 1)" "$DROPPED" 'that is kept'
is "$(sql "SELECT COUNT(*) FROM quarantine WHERE id = $(row 9)")" 1 'another one that pretends to be released is put aside'
is "$(probe count mail.dead)" 0 'it is not in mail.dead either'
ingest_stop

# ---- on its way through the retry tiers, before and after ----
rm "$TMP/targets/support.sql"
is "$(quarantine release "$(id 2)")" '1 of 1 released' 'one that cannot be stored yet'
ingest_start
delayed() { sql "SELECT COUNT(*) FROM inbound_pending WHERE id = $(row 2) AND status = 'delayed'" | grep -q 1; }
wait_for 30 delayed
quarantine drop --yes "$(id 2)" > "$TMP/out"
is "$(cat "$TMP/out") $(state 2)" "1 of 1 dropped $DROPPED" 'is dropped'
# Two more rounds: what the first one tells is written before the second one is settled.
more=$(($(events delayed) + 2))
await delayed "$more"
is "$(state 2)" "$DROPPED" 'and stays so while it goes round'
cp "$TREE/mailin/targets/support.sql" "$TMP/targets"
await dropped 3
is "$(sql "SELECT COUNT(*) FROM quarantine WHERE id = $(row 2)") $(rows)" '0 0' 'until it ends'

# ---- while it is being stored ----
sql "CREATE TABLE gate (id INT PRIMARY KEY, passed INT); INSERT INTO gate VALUES (1, 0);
	CREATE TRIGGER held BEFORE INSERT ON messages FOR EACH ROW UPDATE gate SET passed = passed + 1"
# What ingest cannot finish, drop has to wait for.
session_begin 'BEGIN; SELECT passed FROM gate FOR UPDATE'
waits() { [ "$(sql "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p
	ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()")" = "$1" ]; }
quarantine release "$(id 3)" > "$TMP/out"
wait_for 30 waits 1
(exec 4>&-; quarantine drop --yes "$(id 3)" > "$TMP/drop") &
dropping=$!
wait_for 30 waits 2
is $? 0 'drop waits for the transaction that stores it'
session_end ROLLBACK
wait "$dropping"
is "$? $(cat "$TMP/drop")" '0 0 of 1 dropped' 'and finds that it is too late'
stored 1
is "$(state 3)" 'stored	NULL' 'it is stored'

# ---- purge ----
sql "UPDATE quarantine SET quarantined_at = NOW() - INTERVAL 2 DAY, received_at = NOW() - INTERVAL 2 DAY"
ingest_stop
quarantine release "$(id 4)" > "$TMP/out"
is "$(mailctl purge --older-than=1d --json | jq -c '.Routes[] | select(.Name == "support") | [.QuarantineFound, .QuarantineRemoved]') $(held)" \
	'[2,2] 1' 'purge leaves what was released since'
ingest_start
stored 2
is "$(state 4)" 'stored	NULL' 'and is stored'
is "$(held) $(rows)" '0 2' 'nothing is left'
ingest_stop
