#!/bin/sh
# mailout --dry-run prints the message, and needs nothing else.
. "$(dirname "$0")/../lib/tap.sh"
plan 9
mailout=$BUILD/sbin/mailout
printf '[mailout]\nfrom = Shop <shop@example.test>\ntemplates = %s\n' "$TMP" > "$TMP/conf"
dry_run() { "$mailout" -c "$TMP/conf" --dry-run 2> "$TMP/errors"; }

echo '{"MessageID": "00000000-0000-4000-8000-000000000001", "To": "a@example.test", "Bcc": "b@example.test",
	"Subject": "Grüße", "TextBody": "Hello"}' | dry_run > "$TMP/message"
is $? 0 'exit status'
is "$(cat "$TMP/errors")" '' 'nothing on standard error'
is "$(grep -vc "$(printf '\r')\$" "$TMP/message")" 0 'lines end in CRLF'
is "$(python3 -c '
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.SMTP)
print(m["From"], m["To"], m["Bcc"], m["Subject"], m["Message-ID"], m.get_content().strip(), sep="|")' "$TMP/message")" \
	'Shop <shop@example.test>|a@example.test|None|Grüße|<00000000-0000-4000-8000-000000000001@example.test>|Hello' \
	'the message'
out=$(echo '{"To": "a@example.test", "Subject": "x", "TextBdy": "Hello"}' | dry_run)
is "$? $out" '65 ' 'a request that is refused: exit status'
like "$(cat "$TMP/errors")" '^mailout: 5\.6\.0 TextBdy: ' 'and the reason'
out=$(echo '{"To": "a@example.test", "TemplateAlias": "none-such", "TemplateModel": {}}' | dry_run)
is "$? $out" '65 ' 'an unknown template: exit status'
like "$(cat "$TMP/errors")" 'none-such' 'and which'
out=$(echo '{"To": "a@example.test", "Subject": "x", "TextBody": "y",
	"Attachments": [{"AttachmentID": "00000000-0000-4000-8000-000000000001"}]}' | dry_run)
is "$? $out" '65 ' 'a stored attachment cannot be fetched'
