#!/bin/sh
# The null sender of a bounce arrives as an empty sender, nothing shifted.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 2
use_pipeline
id=$(send --from '' --subject "$TAG" support@example.test)
ok 'stored' rows_become 1 "queue_id = '$id'"
is "$(sql "SELECT CONCAT('<', sender, '> <', recipient, '> ', auto) FROM messages WHERE queue_id = '$id'")" \
	'<> <support@example.test> bounce' 'the sender is empty'
