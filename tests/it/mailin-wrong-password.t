#!/bin/sh
# The broker does not let us in: the mail waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 3
use_broker
echo wrong > "$TMP/password"
printf 'Subject: x\n\nx\n' > "$TMP/mail"
deliver < "$TMP/mail"
is "$STATUS" 75 'deferred'
like "$OUT" '^4\.[37]\.[0-9] .*(403|refused|login)' 'the text tells'
unlike "$OUT" 'wrong$' 'the password is not told'
