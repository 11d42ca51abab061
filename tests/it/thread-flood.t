#!/bin/sh
# Many strangers claim the same Message-ID: sixteen of each kind are kept, and the one whose it is is among them.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/thread.sh"
plan 5
use_sandbox --only broker,database
thread_setup
ingest_set workers 1
ingest_start
# Twenty refer to what is not there yet, then it comes, then it is copied twenty times.
{
	awk 'BEGIN { for (i = 1; i <= 20; i++) print i, "r" i, "r" i, "refs=x" }'
	echo '21 ann x'
	awk 'BEGIN { for (i = 22; i <= 41; i++) print i, "s" i, "x" }'
} > "$TMP/mails"
thread_mails 41 < "$TMP/mails"
is "$(sql 'SELECT COUNT(*) FROM threads')" 41 'each begins a thread'
is "$(sql "SELECT GROUP_CONCAT(n ORDER BY n DESC) FROM (SELECT COUNT(*) AS n FROM thread_ids
	WHERE id_hash = UNHEX(SHA2(CONCAT('support', CHAR(0), 'x@example.net'), 256)) GROUP BY own) c")" 16,16 'sixteen claims of each kind'
thread_mails 46 <<-END
	50 ann a2 irt=x
	51 r16 ra refs=x
	52 s36 sa irt=x
	53 r17 rb refs=x	# one too late
	54 s37 sb irt=x
END
is "$(threads | tr '|' '\n' | sed -n 's/^ *\([0-9][0-9]* 5[0-4]\) *$/\1/p' | sort | paste -s -d ,)" '16 51,21 50,36 52' \
	'who has a claim finds the thread'
is "$(sql 'SELECT COUNT(*) FROM threads')" 43 'the others begin one'
# Which then is found by its own id.
thread_mails 47 <<-END
	55 r17 rc irt=rb
END
is "$(threads | tr '|' '\n' | grep -c '^ *53 55 *$')" 1 'and find that'
