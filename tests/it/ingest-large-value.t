#!/bin/sh
# An attachment that does not fit into max_allowed_packet is put aside with the reason; the rest is stored.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 3
own_sandbox --only broker,database
ingest_setup
sql 'SET GLOBAL max_allowed_packet = 1048576'
documents --count 1 --attach 1048575 | publish
documents --first 2 --count 1 --attach 1048576 | publish
documents --first 3 --count 1 | publish
ingest_start
stored 2
dead() { [ "$(events dead)" -eq 1 ]; }
wait_for 30 dead
ingest_stop
is "$(sql "SELECT COUNT(*), SUM(size) FROM attachments")" "$(printf '1\t1048575')" \
	'the largest one that fits is stored'
is "$(probe take mail.dead 2 | sed -n 's/.* error=//p')" \
	"a part of 1048576 bytes does not fit into the database's max_allowed_packet of 1048576" \
	'the other one is in mail.dead'
is "$(probe count mail.in.support)" 0 'and holds up nothing'
