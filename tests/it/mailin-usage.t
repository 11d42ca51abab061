#!/bin/sh
# A mistake in master.cf must not bounce mail: 4.3.5.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
write_config < /dev/null
printf 'Subject: x\n\nx\n' > "$TMP/mail"
wrong() {
	usage_text=$1
	shift
	mailin "$@" < "$TMP/mail"
	is_result 75 "4.3.5 $usage_text" "$*"
}
wrong 'the recipient is missing' --queue-id A --sender ''
wrong '--sender is missing' --queue-id A -- support@example.com
wrong '--queue-id is missing' --sender '' -- support@example.com
wrong '--queue-id: "a b" is no queue id' --queue-id 'a b' --sender '' -- support@example.com
wrong '"--nonsense" is not understood' --nonsense --queue-id A --sender '' -- support@example.com
wrong '"many" is not understood' --size many --queue-id A --sender '' -- support@example.com
wrong '"--sender" is not understood' --queue-id A --sender
wrong "more than one recipient: set mailin_destination_recipient_limit = 1 in Postfix's main.cf" \
	--queue-id A --sender '' -- support@example.com b@example.com
wrong '--pretty, --route and --no-sandbox need --dry-run' --no-sandbox --queue-id A --sender '' -- support@example.com
OUT=$("$MAILIN" --version)
like "$OUT" '^mailin [0-9]+\.[0-9]+\.[0-9]+$' '--version'
OUT=$("$MAILIN" --help)
like "$OUT" '^usage: mailin ' '--help'
OUT=$("$MAILIN" --dry-run --nonsense 2>&1 < "$TMP/mail")
is "$?: $OUT" '75: 4.3.5 "--nonsense" is not understood' 'in a dry run on standard error'
done_testing
