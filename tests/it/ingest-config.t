#!/bin/sh
# What is wrong with the config or the command line is named, and the exit status says which.
. "$(dirname "$0")/../lib/tap.sh"
plan 16
route='[route support]
recipients = support@example.com'

# refused STATUS TEXT NAME CONFIG
refused() {
	printf '%s\n' "$4" > "$TMP/conf"
	"$BUILD/sbin/mailin-ingest" -c "$TMP/conf" > "$TMP/out" 2> "$TMP/err"
	is $? "$1" "$3: exit status"
	is "$(cat "$TMP/err")" "mailin-ingest: $2" "$3: text"
}
refused 78 "$TMP/conf:4: [ingest] colour: unknown key" 'unknown key' "$route
[ingest]
colour = red"
refused 78 "$TMP/conf:4: [ingest] workers: \"many\" is no number" 'bad value' "$route
[ingest]
workers = many"
refused 78 "$TMP/conf:4: [ingest] workers: 65 is not in the range 1 to 64" 'out of range' "$route
[ingest]
workers = 65"
refused 78 "$TMP/conf: no [route NAME]: there is nothing to consume" 'no route' ''
refused 78 "mysql.ingest_password_file: $TMP/none: No such file or directory" 'no password file' "$route
[mysql]
ingest_password_file = $TMP/none"
"$BUILD/sbin/mailin-ingest" -c "$TMP/nowhere" 2> "$TMP/err"
is $? 78 'no config: exit status'
is "$(cat "$TMP/err")" "mailin-ingest: $TMP/nowhere: No such file or directory" 'no config: text'
"$BUILD/sbin/mailin-ingest" --what 2> "$TMP/err"
is $? 64 'unknown option: exit status'
"$BUILD/sbin/mailin-ingest" too many 2> "$TMP/err"
is $? 64 'operands: exit status'
like "$("$BUILD/sbin/mailin-ingest" -V)" '^mailin-ingest [0-9.]+$' 'version'
like "$("$BUILD/sbin/mailin-ingest" -h)" '^usage: mailin-ingest \[-c FILE\] \[-f\]$' 'usage'
