#!/bin/sh
# A route without its queue (the config is newer than the last mailctl setup): the mail waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 3
use_broker
write_config <<END
[route later]
recipients = later@example.com
END
printf 'Subject: x\n\nx\n' > "$TMP/mail"
mailin --queue-id "$QUEUE_ID" --sender '' -- later@example.com < "$TMP/mail"
is "$STATUS" 75 'deferred'
like "$OUT" '^4\.3\.[05] .*(NO_ROUTE|no queue)' 'the text tells'
is "$(cat "$TMP/errors")" '' 'nothing on standard error'
