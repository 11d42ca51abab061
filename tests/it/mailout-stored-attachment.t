#!/bin/sh
# AttachmentID: what mailin-ingest stored of a mail goes out byte by byte; an unknown id is refused; without the
# database such a request waits.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
ingest_publish() { "$BUILD/tests/it/ingest_probe" publish support; }
. "$(dirname "$0")/../lib/mailout.sh"
own_sandbox --only broker,database
ingest_setup
mailout_setup
: > "$SINK/bodies"

# ---- store ----
python3 - "$TMP" > "$TMP/mail" <<'END'
import email.message, os, sys
mail = email.message.EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "a@example.net", "support@example.test", "four files"
mail["Date"] = "Sun, 22 Nov 2026 12:00:00 +0000"
mail.set_content("see there")
files = {"bytes.bin": bytes(range(256)) * 2000, "Größe \"1\".pdf": b"%PDF-1.4\n1 0 obj\n" + os.urandom(5000),
         "empty.dat": b"", "lines.txt": b"From me\n.\n..\r\n.\r\nlast\r" }
for name, data in files.items():
    mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
sys.stdout.buffer.write(mail.as_bytes())
END
ingest_start
"$BUILD/sbin/mailin" --dry-run --recipient support@example.test < "$TMP/mail" | jq -c '.MessageStream = "support"' | ingest_publish
wait_for 30 is_stored 1 || die "nothing is stored: $(tail -n 3 "$TMP/log")"
ingest_stop
sql "SELECT LOWER(HEX(a.id)), a.name, a.content_type, a.detected_type, a.size, SHA2(b.data, 256) FROM attachments a
	JOIN blobs b ON b.sha256 = a.sha256 ORDER BY a.position" > "$TMP/stored"
is "$(wc -l < "$TMP/stored")" 4 'four attachments are stored'

# attach POSITION: the member of a request
id_at() { sed -n "$1p" "$TMP/stored" | cut -f 1 | sed -E 's/(.{8})(.{4})(.{4})(.{4})/\1-\2-\3-\4-/'; }
# files NUMBER: of the mail that came for this request: name, type, disposition, size, digest
files() {
	python3 - "$SINK/bodies" "$TAG $1" <<-'END'
		import email, email.policy, hashlib, sys
		for text in open(sys.argv[1], "rb").read().split(b"Date: ")[1:]:
		    mail = email.message_from_bytes(b"Date: " + text, policy=email.policy.SMTP)
		    if mail["Subject"] != sys.argv[2]:
		        continue
		    for part in mail.walk():
		        if part.get_filename() is None:
		            continue
		        data = part.get_payload(decode=True)
		        print(part.get_filename(), part.get_content_type(), part.get_content_disposition(), len(data),
		              hashlib.sha256(data).hexdigest(), sep="\t")
	END
}

# ---- send ----
probe events
# A worker that was just started has no connection to the database yet.
requests 1 "\"Attachments\": [{\"AttachmentID\": \"$(id_at 1)\"}]" | publish
mailout_start
recorded 'sent 1'
is "$(sql 'SELECT attempts FROM outbound')" 1 'the first request of a run is sent at once'
files 1 > "$TMP/came"
is "$(cut -f 1,4,5 "$TMP/came")" "$(sed -n 1p "$TMP/stored" | cut -f 2,5,6)" 'with the bytes that were stored'

first=2 requests 1 "\"HtmlBody\": \"<img src='cid:pic'>\", \"Attachments\": [{\"AttachmentID\": \"$(id_at 1)\"},
	{\"AttachmentID\": \"$(id_at 2)\"}, {\"AttachmentID\": \"$(id_at 3)\"}, {\"AttachmentID\": \"$(id_at 4)\"},
	{\"AttachmentID\": \"$(id_at 2)\", \"Name\": \"mine.x\", \"ContentType\": \"application/x-mine\"},
	{\"AttachmentID\": \"$(id_at 2)\", \"ContentID\": \"pic\"}]" | tr -d '\n' | publish
recorded 'sent 2'
files 2 > "$TMP/came"
(cut -f 2,5,6 "$TMP/stored"; sed -n 2p "$TMP/stored" | cut -f 5,6 | sed 's/^/mine.x\t/'; sed -n 2p "$TMP/stored" | cut -f 2,5,6) | sort > "$TMP/wanted"
is "$(cut -f 1,4,5 "$TMP/came" | sort)" "$(cat "$TMP/wanted")" 'names and bytes of several'
like "$(cat "$TMP/came")" "^mine\.x	application/x-mine	attachment" "a name and a type of the request's own"
like "$(cat "$TMP/came")" '\.pdf	application/pdf	inline' 'one that the HTML shows'

# ---- refused ----
first=3 requests 1 '"Attachments": [{"AttachmentID": "00000000-0000-4000-8000-00000000dead"}]' | publish
recorded 'failed 1,sent 2'
is "$(status_of 3) $(mail_count)" 'failed 2' 'an unknown id: not sent'
hold mail.dead 1
hold test.events 3
like "$(probe take mail.dead | grep -a error=)" 'error=there is no stored attachment 00000000-0000-4000-8000-00000000dead' 'and in mail.dead with the reason'
like "$(probe take test.events | grep -a '^{')" '"RecordType":"Bounce","MessageID":"00000000-0000-4000-8000-000000000003"' 'and told'

# A row that nobody's parser has cleaned.
sql "UPDATE attachments SET name = 'a.txt\r\nX-Evil: 1', content_type = 'text/plain\r\nX-Evil: 2',
	detected_type = '' WHERE position = 3"
first=4 requests 1 "\"Attachments\": [{\"AttachmentID\": \"$(id_at 4)\"}]" | publish
recorded 'failed 2,sent 2'
is "$(grep -aic '^X-Evil' "$SINK/bodies") $(status_of 4)" '0 failed' 'a stored name with a line break makes no header field'

# ---- without the database ----
"$SANDBOX" kill "$SANDBOX_DIR" database
first=5 requests 1 "\"Attachments\": [{\"AttachmentID\": \"$(id_at 1)\"}]" | publish
before=$(mail_count)
first=6 requests 1 | publish
await_log '00000000-0000-4000-8000-000000000005 event=deferred .*the database is away'
wait_for 30 has_mails $((before + 1))
is "$(mail_numbers | tail -n 1)" 6 'the database is away: one without an attachment is sent'
"$SANDBOX" up "$SANDBOX_DIR" database
await_log '00000000-0000-4000-8000-000000000005 event=sent' 60
is "$(files 5 | cut -f 1,4,5)" "$(sed -n 1p "$TMP/stored" | cut -f 2,5,6)" 'the other one when it is back'
mailout_stop
is "$mailout_status" 0 'exit status'

# Required: a worker that begins with such a request.
mailout_set mailout record required
first=7 requests 1 "\"Attachments\": [{\"AttachmentID\": \"$(id_at 1)\"}]" | publish
mailout_start
await_log '00000000-0000-4000-8000-000000000007 event=sent'
is "$(status_of 7)" sent 'record = required: the first request of a run is sent'
mailout_stop
done_testing
