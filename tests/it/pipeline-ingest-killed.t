#!/bin/sh
# mailin-ingest, supervisor and workers, is killed (-9) under load three times: every mail is stored exactly once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 3
own_pipeline
mails=300
smtp --count $mails --patience 300 --subject "$TAG %d" support@example.test > "$TMP/accepted" &
client=$!
for so_far in 50 120 190; do
	wait_for 30 sh -c "[ \$(wc -l < '$TMP/accepted') -ge $so_far ]"
	"$SANDBOX" kill "$SANDBOX_DIR" ingest
	"$SANDBOX" up "$SANDBOX_DIR" ingest
done
wait "$client"
awk 'NF != 2' "$TMP/accepted" >&2
is "$(accepted_numbers "$TMP/accepted" | wc -l)" $mails 'Postfix took them all'
ok 'all are stored' rows_become $mails "subject LIKE '$TAG %'" 120
is "$(stored_numbers | uniq -c | awk '$1 == 1' | wc -l) $(waiting mail.dead)" "$mails 0" \
	'each once, nothing dead'
