#!/bin/sh
# A conversation goes with the last of its messages, unless somebody writes in it.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/thread.sh"
plan 7
use_sandbox --only broker,database
thread_setup
ingest_start
token=abcdefghijklmnopqrstuvwx2a
thread_mails 3 <<-END
	1 ann a1
	2 bob b1
	3 bob b2 irt=b1
END
token_for 1 $token
purge() { "$BUILD/bin/mailctl" --config "$TMP/conf" purge --json --older-than=1d > "$TMP/purged" 2>&1; }
old="NOW(3) - INTERVAL 2 DAY"
sql "UPDATE threads SET last_at = $old;
	UPDATE messages m SET received_at = $old, stored_at = $old WHERE $thread_number <> 3;
	UPDATE thread_senders SET used_on = UTC_DATE() - INTERVAL 3 DAY"
ok 'purge' purge
is "$(threads)" 3 'old messages go'
is "$(sql 'SELECT subject FROM threads')" 'Question 2' 'a thread without any goes, too'
is "$(sql 'SELECT requester FROM tickets')" bob@example.net 'with its ticket'
is "$(sql 'SELECT COUNT(*) FROM thread_tokens; SELECT COUNT(*) FROM thread_ids; SELECT COUNT(*) FROM thread_participants;
	SELECT COUNT(*) FROM thread_senders' | paste -s -d ' ')" '0 2 1 0' 'and all that led to it'
thread_mails 3 <<-END
	4 bob b3 irt=b1
	5 ann a2 irt=a1
END
is "$(threads)" '3 4 | 5' 'who answers to it begins another one'
sql "UPDATE messages SET received_at = $old, stored_at = $old"
purge
is "$(sql 'SELECT COUNT(*) FROM messages; SELECT COUNT(*) FROM threads' | paste -s -d ' ')" '0 2' \
	'what was written in lately stays'
