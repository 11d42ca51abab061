#!/bin/sh
# The broker is killed (-9) under load and comes back: every mail accepted is stored exactly once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 4
own_pipeline
mails=300
smtp --count $mails --patience 300 --subject "$TAG %d" support@example.test > "$TMP/accepted" &
client=$!
wait_for 30 sh -c "[ \$(wc -l < '$TMP/accepted') -ge 60 ]"
"$SANDBOX" kill "$SANDBOX_DIR" broker
wait_for 30 sh -c "[ \$(wc -l < '$TMP/accepted') -ge 200 ]"
"$SANDBOX" up "$SANDBOX_DIR" broker
wait "$client"
awk 'NF != 2' "$TMP/accepted" >&2
is "$(accepted_numbers "$TMP/accepted" | wc -l)" $mails 'Postfix took them all'
ok 'all are stored' rows_become $mails "subject LIKE '$TAG %'" 120
ok "and Postfix's queue is empty" wait_for 30 queue_is_empty
is "$(stored_numbers | uniq -c | awk '$1 == 1' | wc -l) $(waiting mail.dead)" "$mails 0" \
	'each once, nothing dead'
