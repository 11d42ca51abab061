#!/bin/sh
# The database is killed (-9) under load and comes back: addresses are refused for the moment only (451),
# and every mail accepted is stored exactly once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 5
own_pipeline
mails=300
smtp --count $mails --patience 300 --subject "$TAG %d" support@example.test > "$TMP/accepted" &
client=$!
wait_for 30 sh -c "[ \$(wc -l < '$TMP/accepted') -ge 100 ]"
"$SANDBOX" kill "$SANDBOX_DIR" database
like "$(send --subject other support@example.test)" '^451 4\.3\.0 ' 'an address cannot be looked up: try later'
"$SANDBOX" up "$SANDBOX_DIR" database
# Postfix asks a server that was away again after a minute (RETRY_CONN_INTV); processes that are new, at once.
postfix -c "$SANDBOX_DIR/postfix/etc" reload 2> "$TMP/reload.log" || die "$(cat "$TMP/reload.log")"
wait "$client"
awk 'NF != 2' "$TMP/accepted" >&2
is "$(accepted_numbers "$TMP/accepted" | wc -l)" $mails 'Postfix took them all in the end'
ok 'all are stored' rows_become $mails "subject LIKE '$TAG %'" 120
ok "and Postfix's queue is empty" wait_for 30 queue_is_empty
is "$(stored_numbers | uniq -c | awk '$1 == 1' | wc -l) $(waiting mail.dead)" "$mails 0" \
	'each once, nothing dead'
