#!/bin/sh
# Nobody listens: the mail waits, and the text names the host.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 3
AMQP_PORT=1
write_config < /dev/null
printf 'Subject: x\n\nx\n' > "$TMP/mail"
deliver < "$TMP/mail"
is "$STATUS" 75 'deferred'
like "$OUT" '^4\.[34]\.[0-9] .*127\.0\.0\.1:1.*Connection refused' 'the text names the host and the error'
is "$(cat "$TMP/errors")" '' 'nothing on standard error'
