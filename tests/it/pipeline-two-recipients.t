#!/bin/sh
# One mail to two of our addresses is a row for each, on its own route.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 3
use_pipeline
id=$(send --subject "$TAG" photos@example.test any-name@inbox.example.test)
ok 'two rows' rows_become 2 "queue_id = '$id'"
is "$(sql "SELECT route, recipient FROM messages WHERE queue_id = '$id' ORDER BY recipient")" \
	"inbox	any-name@inbox.example.test
photos	photos@example.test" 'one for each recipient'
is "$(sql "SELECT COUNT(DISTINCT id) FROM messages WHERE queue_id = '$id'")" 2 'with ids of their own'
