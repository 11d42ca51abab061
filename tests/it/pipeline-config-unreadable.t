#!/bin/sh
# A config that mailin may not read delays mail, with the reason in Postfix's queue; nothing bounces.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 4
own_pipeline
chmod 600 "$CONFIG"
id=$(send --subject "$TAG" support@example.test)
ok 'deferred' wait_for 60 is_delayed "$id"
is "$(delay_reason "$id")" "$CONFIG: Permission denied" 'the reason names the file'
postfix_says "$id" 'dsn=4\.3\.5, status=deferred' 'with status 4.3.5'
chmod 644 "$CONFIG"
flush
ok 'stored after the repair' rows_become 1 "queue_id = '$id'"
