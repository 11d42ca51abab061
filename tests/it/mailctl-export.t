#!/bin/sh
# mailctl export writes a stored message to files: safe names, nothing overwritten, nothing outside;
# a mail that was not kept is rebuilt, and reads the same.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
use_pipeline
plan 36

mailctl() { "$BUILD/bin/mailctl" -c "$CONFIG" "$@" 2>&1; }
id_of() { sql "SELECT id FROM messages_readable WHERE queue_id = '$1'"; }

# What people see of a mail: of the rebuilt one, and as it is stored.
rebuilt() {
	"$BUILD/sbin/mailin" --dry-run -c "$CONFIG" --recipient support@example.test < "$1" | jq -cS '[.Subject,
		(.FromFull.Email | ascii_downcase), .FromFull.Name, [.ToFull[], .CcFull[] | {Email, Name}],
		.Date, .Mailpipe.MessageIDHeader, .TextBody, .HtmlBody,
		[.Attachments[] | {Name, Sha256, ContentID}]]'
}
stored() {
	mailctl show --json "$1" | jq -cS '[.Subject, .From, .FromName, [.ToFull[], .CcFull[] | {Email, Name}],
		.Date, .Mailpipe.MessageIDHeader, .TextBody, .HtmlBody,
		[.Attachments[] | {Name, Sha256, ContentID}]]'
}

for mail in plain html-logo-pdf html-only japanese phone-photo groups rfc2231-names winmail signed invitation flowed; do
	qid=$(send --from "$TAG@example.net" --file "$TREE/tests/corpus/$mail.eml" support@example.test)
	rows_become 1 "queue_id = '$qid'"
	id=$(id_of "$qid")
	mailctl export "$id" "$TMP/$mail" > "$TMP/out" || diag "$(cat "$TMP/out")"
	like "$(head -n 1 "$TMP/$mail/message.eml")" '^X-Mailpipe-Rebuilt: ' "$mail: rebuilt, and says so"
	is "$(rebuilt "$TMP/$mail/message.eml")" "$(stored "$id")" "$mail: reads the same"
done
is "$(find "$TMP/winmail" -type f | sed 's|.*/||' | LC_ALL=C sort | tr '\n' ' ')" 'logo.png message.eml message.txt report.txt ' \
	'all files are there'
is "$(stat -c %a "$TMP/winmail" "$TMP/winmail/report.txt" | tr '\n' ' ')" '700 600 ' 'for the owner alone'

# A defect keeps the mail as it came.
qid=$(send --from "$TAG@example.net" --file "$TREE/tests/corpus/lying-charset.eml" support@example.test)
rows_become 1 "queue_id = '$qid'"
id=$(id_of "$qid")
is "$(mailctl export --json "$id" "$TMP/raw" | jq -r .Mail)" raw 'a mail that was kept'
is "$(sha256sum < "$TMP/raw/message.eml" | cut -d' ' -f1)" \
	"$(sql "SELECT LOWER(HEX(raw_sha256)) FROM messages WHERE queue_id = '$qid'")" 'comes out byte for byte'

# Names that want out.
qid=$(send --from "$TAG@example.net" --file "$TREE/tests/corpus/html-logo-pdf.eml" support@example.test)
rows_become 1 "queue_id = '$qid'"
id=$(id_of "$qid")
hostile() {
	sql "UPDATE attachments SET name = '$1' WHERE message_id = (SELECT id FROM messages WHERE queue_id = '$qid')"
	rm -rf "$TMP/in"
	mkdir -p "$TMP/in"
	mailctl export "$id" "$TMP/in/dir" > /dev/null
	(cd "$TMP/in" && find . -type f ! -name 'message.*' | LC_ALL=C sort | tr '\n' ' ')
	(cd "$TMP/in" && find . -type f ! -name 'message.*' ! -path './dir/*')
}
is "$(hostile '../../escaped.txt')" './dir/escaped-2.txt ./dir/escaped.txt ' 'a path'
is "$(hostile '-rf')" './dir/_rf ./dir/_rf-2 ' 'an option'
is "$(hostile '.bashrc')" './dir/bashrc ./dir/bashrc-2 ' 'a hidden file'
is "$(hostile '..')" './dir/attachment-1.png ./dir/attachment-2.pdf ' 'nothing but dots'
hostile 'Message.EML' > /dev/null
is "$(find "$TMP/in/dir" -name 'Message-*' | sed 's|.*/||' | LC_ALL=C sort | tr '\n' ' ')" 'Message-2.EML Message-3.EML ' \
	'a name of ours, in any case'

# What is there stays, and nothing else is left behind.
mkdir "$TMP/there"
echo mine > "$TMP/there/message.html"
out=$(mailctl export "$id" "$TMP/there")
is "$? $out" "1 mailctl: export: $TMP/there/message.html: File exists" 'a file that is there is an error'
is "$(cat "$TMP/there"/*)" mine 'it is left alone, and nothing else is left'
mkdir "$TMP/link"
ln -s "$TMP/outside" "$TMP/link/message.eml"
mailctl export "$id" "$TMP/link" > /dev/null
is "$? $(test -e "$TMP/outside" || echo none)" '1 none' 'a link is not followed'
mailctl export 00000000-0000-4000-8000-000000000000 "$TMP/none" > "$TMP/out"
is "$? $(cat "$TMP/out")" '1 mailctl: export: no message with this id is stored' 'an id that is not stored'
mailctl export "$qid" "$TMP/none" > "$TMP/out"
is $? 64 'a queue id is no id'
