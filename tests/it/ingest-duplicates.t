#!/bin/sh
# The same document twice is one row: in one batch, in two, and between two workers.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 6
use_sandbox --only broker,database
ingest_setup
ingest_set workers 2
ingest_set batch_count 16
documents --count 200 --attach 100 > "$TMP/documents"
# Neighbours in a batch, and far apart.
cat "$TMP/documents" "$TMP/documents" > "$TMP/twice"
ingest_start
consuming() { [ "$(events consuming)" = 2 ]; }
wait_for 30 consuming
sort "$TMP/twice" | cat "$TMP/twice" - | publish
stored 200
both() { [ $(($(events stored) + $(events duplicate))) -eq 800 ]; }
wait_for 30 both
ingest_stop
is "$(rows)" 200 'one row each'
is "$(sql 'SELECT COUNT(*) FROM attachments')" 200 'one attachment each'
is "$(events stored)" 200 'stored once each'
is "$(events duplicate)" 600 'everything else was a duplicate'
is "$(grep -o 'ingest\[[0-9]*\]: Q' "$TMP/log" | sort -u | wc -l)" 2 'both workers took part'
is "$(probe count mail.in.support)" 0 'all are acknowledged'
