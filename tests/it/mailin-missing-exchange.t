#!/bin/sh
# mailctl setup was not run: the mail waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 3
use_sandbox --only broker
write_config < /dev/null
printf 'Subject: x\n\nx\n' > "$TMP/mail"
deliver < "$TMP/mail"
is "$STATUS" 75 'deferred'
like "$OUT" '^4\.3\.5 .*no exchange .mail\.in.*\(404\)$' 'the exchange is named'
is "$(cat "$TMP/errors")" '' 'nothing on standard error'
