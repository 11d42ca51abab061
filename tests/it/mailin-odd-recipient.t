#!/bin/sh
# Recipients that are an attack on somebody are just text: in our verdict, the document, the log.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
use_broker
write_config <<END
[route any]
recipients = *@odd.example, *@bücher.example
END
"$PROBE" declare "$CONF" || die "the topology cannot be declared"

# odd ADDRESS NAME: published, and in the document byte for byte.
odd() {
	: > "$SYSLOG"
	OUT=$(FAIL_SYSLOG=$SYSLOG LD_PRELOAD=$SHIM "$MAILIN" -c "$CONF" --queue-id "$QUEUE_ID" \
		--sender "$1" -- "$1" < "$TMP/mail" 2> "$TMP/errors")
	STATUS=$?
	is_result 0 '' "$2"
	"$PROBE" take mail.in.any | tail -n 1 > "$TMP/document"
	is "$(jq -j .OriginalRecipient "$TMP/document")" "$1" "$2: the recipient"
	is "$(jq -j .Mailpipe.Envelope.Sender "$TMP/document")" "$1" "$2: the sender"
	is "$(jq -j .MessageStream "$TMP/document")" any "$2: the route"
	[ -z "$SANITIZED" ] || return
	is "$(wc -l < "$SYSLOG")" 1 "$2: one line in the log"
	is "$(LC_ALL=C tr -d '[:print:]\n\200-\377' < "$SYSLOG" | wc -c)" 0 "$2: no control character in the log"
}
printf 'Subject: x\n\nx\n' > "$TMP/mail"
odd '"a b"@odd.example' 'a quoted local part'
odd '"a\"b\\"@odd.example' 'quotes and backslashes'
odd "'; DROP TABLE messages; --@odd.example" 'SQL'
odd '","MessageStream":"support@odd.example' 'JSON'
odd '-c/etc/passwd@odd.example' 'an option'
# shellcheck disable=SC2016
odd '$(id)`id`|id;%s%n@odd.example' 'a shell and printf'
odd "$(printf 'a\001\033[2J\177b@odd.example')" 'control characters'
odd "$(printf 'a\r\nBcc: x event=published@odd.example')" 'line ends'
odd 'gr'"$(printf '\303\274\303\237')"'e@odd.example' 'UTF-8'
odd "$(printf 'x@b\303\274cher.example')" 'an international domain'
odd '#mail.dead.*@odd.example' 'wildcards of a topic'

# Not UTF-8: the document still is.
mailin --queue-id "$QUEUE_ID" --sender '' -- "$(printf 'gr\374n@odd.example')" < "$TMP/mail"
is_result 0 '' 'Latin-1'
is "$("$PROBE" take mail.in.any | tail -n 1 | jq -j .OriginalRecipient)" "$(printf 'gr\357\277\275n@odd.example')" \
	'Latin-1: replaced in the document'

mailin --queue-id "$QUEUE_ID" --sender '' -- "$(printf 'x\n5.0.0 \001y@example.com')" < "$TMP/mail"
is_result 69 '5.1.1 <x 5.0.0  y@example.com>: no such address here' 'unknown with control characters'
done_testing
