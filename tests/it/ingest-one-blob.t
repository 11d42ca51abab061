#!/bin/sh
# The same attachment in 100 mails is stored once, in one batch and later.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
plan 3
use_sandbox --only broker,database
ingest_setup
ingest_start
documents --count 60 --attach 50000:logo | publish
stored 60
documents --first 61 --count 40 --attach 50000:logo --attach 10 | publish
stored 100
ingest_stop
is "$(sql "SELECT COUNT(*) FROM attachments")" 140 '140 attachments'
is "$(sql "SELECT COUNT(*), SUM(size), SUM(LENGTH(data)) FROM blobs WHERE size = 50000")" \
	"$(printf '1\t50000\t50000')" '100 of them are one blob'
is "$(sql 'SELECT COUNT(*) FROM blobs')" 41 'and the others have their own'
