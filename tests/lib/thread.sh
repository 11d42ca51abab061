# shellcheck shell=sh disable=SC2154
# For tests of threads; after ingest.sh:
#
#	thread_setup			two routes with the target support: support and orders
#	thread_mails 18 <<END		documents of lib/thread-mails, published; wait for so many rows
#	threads				which messages have a thread in common: "1 2 5 | 3 | 4"
#	thread_of 2			the id of message 2's thread, in hexadecimal
#	number_of 2			its number for people
#	token_for 2 TEXT [ROUTE]	this token leads to message 2's thread

thread_setup() {
	ingest_setup
	sed -i 's/^\[route \(support\|orders\)\]/&\ntarget = support/' "$TMP/conf"
}

# thread_mails ROWS [ROUTE]
thread_mails() {
	"$TREE/tests/lib/thread-mails" "${2:-support}" | probe publish "${2:-support}"
	stored "$1"
}

# shellcheck disable=SC2089,SC2090 # SQL
thread_number="CAST(SUBSTR(HEX(m.id), 21) AS UNSIGNED)"

threads() {
	sql "SELECT GROUP_CONCAT($thread_number ORDER BY m.id SEPARATOR ' ') FROM messages m WHERE route = '${1:-support}'
		GROUP BY COALESCE(thread_id, id) ORDER BY MIN(m.id)" | paste -s -d '|' | sed 's/|/ | /g'
}

thread_of() { sql "SELECT HEX(thread_id) FROM messages m WHERE $thread_number = $1"; }

number_of() { sql "SELECT t.number FROM threads t JOIN messages m ON m.thread_id = t.id WHERE $thread_number = $1"; }

token_for() { sql "INSERT INTO thread_tokens (token_hash, thread_id) VALUES (UNHEX(SHA2('$2', 256)), UNHEX('$(thread_of "$1")'))"; }

# ticket MESSAGE COLUMNS: of its ticket.
ticket() { sql "SELECT $2 FROM tickets WHERE id = UNHEX('$(thread_of "$1")')"; }
