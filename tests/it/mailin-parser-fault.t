#!/bin/sh
# A parser that cannot run is our fault: the mail waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
use_broker
own_parser
parser=$TMP/tree/libexec/mailpipe/mailin-parse
faulty() {
	printf '%s\n' "$1" > "$TMP/mail"
	deliver < "$TMP/mail"
	is_result 75 "$2" "$3"
}
faulty 'exit 75' '4.3.0 mailin-parse: exit status 75' 'it says that it is our fault'
faulty 'exit 127' '4.3.0 mailin-parse: exit status 127' 'a library is missing'
faulty 'exit 126' '4.3.0 mailin-parse: exit status 126' 'not executable'
faulty 'kill 15' '4.3.0 mailin-parse was stopped by a signal' 'the system goes down'
echo 'not a program' > "$parser"
faulty 'x' "4.3.0 mailin-parse: $TMP/tree/sbin/../libexec/mailpipe/mailin-parse: Exec format error" 'no program'
chmod -x "$parser"
faulty 'x' "4.3.0 mailin-parse: $TMP/tree/sbin/../libexec/mailpipe/mailin-parse: Permission denied" \
	'not executable at all'
rm "$parser"
faulty 'x' "4.3.0 mailin-parse: $TMP/tree/sbin/../libexec/mailpipe/mailin-parse: No such file or directory" \
	'not there'
is "$(waiting)" 0 'nothing is published'
done_testing
