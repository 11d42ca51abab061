#!/bin/sh
# mailctl check has the server prepare each statement of the targets, and says what is wrong and what to do.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
use_sandbox --only broker,database
mailctl_config
sed -i "s|^\[route support\]|[ingest]\ntargets = $TMP/none $TMP\n&\ntarget = own|" "$CONF"
mailctl setup > /dev/null || die 'setup'
sql 'CREATE TABLE notes (id BINARY(16) PRIMARY KEY, subject VARCHAR(20))'
user="$USERS-ingest.@.localhost."

own() { printf '%s\n' "$@" > "$TMP/own.sql"; }
check_finds() {
	found=$(mailctl check)
	is $? 1 "$1"
	like "$found" "^error    route support target own: $2" "$1: the line"
}

check_finds 'no file' 'own.sql is in no folder of ingest.targets; see mailpipe-targets\(7\)$'
own 'INSERT INTO notes (id, subject)' 'VALUES (:message_id, :Subject);'
check_finds 'an unknown parameter' "$TMP/own.sql:2: unknown parameter :Subject; mend the file$"
own '' 'INSERT INTO notes (id, subject) VALUES (:message_id, :subject);'
check_finds 'a missing right' \
	"$TMP/own.sql:2: database error 1142: INSERT command denied .*; create the table unless it is there, then: GRANT INSERT ON .$MYSQL_DATABASE.\..notes. TO .$user$"
sql "$(echo "$found" | sed -n 's/^error    route support target own: .*: \(GRANT .*\)/\1/p')"
own 'INSERT INTO notes (id, subject) VALUES (:message_id, :subject);' '' \
	'UPDATE notes SET subject = LEFT(:subject, 20) WHERE id = :message_id;'
check_finds 'a right for the other statement' "$TMP/own.sql:3: .*: GRANT [A-Z, ]* ON .$MYSQL_DATABASE.\..notes. TO .$user$"
for statement in 'CREATE TABLE more (id INT)' 'COMMIT' 'LOCK TABLES notes WRITE' 'SET autocommit = 1' 'CALL more()'; do
	own 'INSERT INTO notes (id, subject) VALUES (:message_id, :subject);' "$statement;"
	check_finds "${statement%% *}" "$TMP/own.sql:2: \"${statement%% *}\" begins no statement of a target: .*; mend the file$"
done
own 'INSERT INTO notices (id) VALUES (:message_id);'
check_finds 'a missing table' "$TMP/own.sql:1: database error 114[26]: "
own 'INSERT INTO notes (id, subjekt) VALUES (:message_id, :subject);' 'INSERT INTO notes VALUE VALUE (:subject);'
check_finds 'a missing column' "$TMP/own.sql:1: database error 1054: Unknown column 'subjekt'"
like "$found" "^error    route support target own: $TMP/own.sql:2: database error 1064: " 'and a wrong syntax'
own 'INSERT INTO notes (id, subject) VALUES (:message_id, LEFT(:subject, 20));'
out=$(mailctl check)
is $? 0 'all is well'
like "$out" "^ok       route support target own: $TMP/own.sql: statements that the server takes: 1, for many mails at once: 1$" 'and says so'
like "$out" '^ok       route inbox target inbox: ' 'the other routes have another one'

# The manual's own example, word for word but for the names of this test's database and user.
example() { sed -n '/^\.Bd/,/^\.Ed/p' "$TREE/man/mailpipe-targets.7" | awk -v RS='[.]Ed\n' -v want="$1" '$0 ~ want { sub(/[^\n]*\n/, ""); print }'; }
example 'mailpipe: message' > "$TMP/own.sql"
is "$(grep -c : "$TMP/own.sql")" 4 'the manual has an example'
example 'CREATE TABLE' | sed "s/mailpipe\./$MYSQL_DATABASE./; s/mailpipe-ingest/$USERS-ingest/" > "$TMP/tables.sql"
# shellcheck disable=SC2016 # the inner shell's
ok 'its tables can be made' sh -c '"$1" sql "$2" "USE $3; $(cat "$4")"' - "$SANDBOX" "$SANDBOX_DIR" "$MYSQL_DATABASE" "$TMP/tables.sql"
like "$(mailctl check)" "^ok       route support target own: $TMP/own.sql: statements that the server takes: 2, for many mails at once: 2$" \
	'and it works'
mailctl setup > /dev/null
is "$(mailctl check > "$TMP/out"; echo $?)" 0 'setup leaves the rights on tables that are not ours'
done_testing
