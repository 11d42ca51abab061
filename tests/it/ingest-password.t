#!/bin/sh
# A wrong password of the database or the broker is waited out, and the right one is read when it is there.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 6
use_sandbox --only broker,database
ingest_setup
for kind in ingest consume; do
	file=$(sed -n "s/^${kind}_password_file = //p" "$TMP/conf")
	cp "$file" "$TMP/$kind.right"
	echo wrong > "$TMP/$kind.password"
	sed -i "s|^${kind}_password_file = .*|${kind}_password_file = $TMP/$kind.password|" "$TMP/conf"
done
documents --count 2 | publish
begun=$(date +%s)
ingest_start
await_log 'event=database '
like "$(cat "$TMP/log")" "event=database status=4\.3\.0 reason=\".*: database error 1045: Access denied for user 'mailpipe-ingest'@'localhost'" \
	"the database's answer"
is "$(grep -c event=consuming "$TMP/log")" 0 'nothing is consumed meanwhile'
cp "$TMP/ingest.right" "$TMP/ingest.password"
await_log 'event=broker '
like "$(cat "$TMP/log")" 'event=broker status=4\.3\.5 reason=.*login of user .*mailpipe-consume.* refused: ' \
	"then the broker's"
is "$(rows)" 0 'nothing is stored'
sleep 2
# The pauses grow to a second.
ok 'it does not spin' test "$(grep -c -e event=database -e event=broker "$TMP/log")" -le $((8 + 2 * ($(date +%s) - begun)))
cp "$TMP/consume.right" "$TMP/consume.password"
stored 2
ingest_stop
is "$(rows)" 2 'stored when both are right'
