#!/bin/sh
# What is not stored is in inbound_pending; message_states shows everything; a message that is stored
# after all has no such row any more.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 10
use_sandbox --only broker,database
ingest_setup
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
pending() { [ "$(sql 'SELECT COUNT(*) FROM inbound_pending')" = "$1" ]; }

# (give: attempt 3, first seen in 2026)
documents --count 2 | publish
documents --first 3 --set 'Attachments=1' | tr -d '\n' | probe give support "$(id 3)"
printf 'no JSON' | probe give support "$(id 4)"
printf 'no JSON, no id' | probe give support
ingest_start
stored 2
wait_for 30 pending 2
is "$(sql 'SELECT id, route, status, attempt, first_seen, next_attempt, reason FROM inbound_pending_readable ORDER BY id')" \
	"$(id 3)	support	failed	3	2026-11-22 11:46:40.000	NULL	Attachments is of type integer, not array
$(id 4)	support	failed	3	2026-11-22 11:46:40.000	NULL	no JSON at byte 1 of 7: null expected" \
	'messages that were given up have a row, if they have an id'
ok 'of now' test "$(sql 'SELECT COUNT(*) FROM inbound_pending WHERE updated_at BETWEEN UTC_TIMESTAMP(3) - INTERVAL 5 MINUTE AND UTC_TIMESTAMP(3)')" = 2
is "$(sql "SELECT LOWER(HEX(id)), direction, route, status, attempts FROM message_states ORDER BY id" | cut -c 21-)" \
	"000000000001	inbound	support	stored	NULL
000000000002	inbound	support	stored	NULL
000000000003	inbound	support	failed	3
000000000004	inbound	support	failed	3" 'message_states shows them all'

# The front end's question is answered by the primary keys.
plan=$(sql "EXPLAIN SELECT status FROM message_states WHERE id = UNHEX(REPEAT('00', 16))")
unlike "$(echo "$plan" | grep -v '<derived')" '	(ALL|index)	' 'a question by id reads no table as a whole'
is "$(sql "SELECT status, reason FROM message_states WHERE id = UNHEX(REPLACE('$(id 4)', '-', ''))")" \
	"failed	no JSON at byte 1 of 7: null expected" 'and is answered'

# As an operator would bring it back.
documents --first 3 | tr -d '\n' | probe give support "$(id 3)"
stored 3
wait_for 30 pending 1
is "$(sql 'SELECT LOWER(HEX(id)) FROM inbound_pending' | cut -c 21-)" 000000000004 'the row of one that is stored goes'
is "$(sql "SELECT status FROM message_states WHERE id = UNHEX(REPLACE('$(id 3)', '-', ''))")" stored 'it is stored'

# One that comes again as a duplicate takes its row away, too.
sql "INSERT INTO inbound_pending VALUES (UNHEX(REPLACE('$(id 1)', '-', '')), 'support', 'delayed', 1, NOW(), NULL, 'x', NOW())"
is "$(sql 'SELECT COUNT(*) FROM message_states')" 4 'a row that is left over is not shown'
documents | tr -d '\n' | probe give support
wait_for 30 pending 1
is "$(sql 'SELECT COUNT(*) FROM inbound_pending')" 1 'and goes with the next delivery'
ingest_stop
is "$(sql 'SELECT status FROM messages_readable')" 'stored
stored
stored' 'messages have a status of their own'
