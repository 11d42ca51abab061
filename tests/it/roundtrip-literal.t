#!/bin/sh
# A request with everything in it goes out through Postfix and comes back in by the pipe: every field is
# what was asked for, for each of its recipients, and Bcc is told to nobody.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
. "$(dirname "$0")/../lib/roundtrip.sh"
use_pipeline
id=$(cat /proc/sys/kernel/random/uuid)
media=$TREE/tests/demo/media

python3 - "$id" "$media" > "$TMP/request" <<'END'
import base64, json, sys
id, media = sys.argv[1:]
def file(name): return base64.b64encode(open(f"{media}/{name}", "rb").read()).decode()
print(json.dumps({
    "MessageID": id,
    "From": '"Jürgen \\"the Shop\\" Müller, Berlin" <shop@example.test>',
    "To": "Support <support+rt@example.test>, \"山田太郎\" <yamada@example.net>",
    "Cc": [{"Email": "photos@example.test", "Name": "Photos & Albums"}],
    "Bcc": "support+vip@example.test",
    "ReplyTo": "Réponse <answers@example.test>",
    "Subject": "Ihre Bestellung 4711 – Größe „XL“, 写真 \N{SUNRISE}, and a subject that does not fit into one line of a header",
    "TextBody": ".\n..two dots\nFrom here on\n" + "long " * 300 + "\n\nÄ€\N{SUNRISE}\ttab\n-- \nJ. Müller\n",
    "HtmlBody": "<p>.</p>\n<p>Ä € &amp; <img src=\"cid:logo@shop\" alt=\"\"></p>\n.\n" + "<b>x</b>" * 300 + "\n",
    "Headers": [{"Name": "X-Order", "Value": "4711 – Größe"}, {"Name": "In-Reply-To", "Value": "<q2@example.net>"},
                {"Name": "References", "Value": "<q1@example.net> <q2@example.net>"}],
    "Attachments": [
        {"Name": "Rechnung Größe.pdf", "ContentType": "application/pdf", "Content": file("invoice.pdf")},
        {"Name": "logo.png", "ContentType": "image/png", "ContentID": "cid:logo@shop", "Content": file("logo.png")}],
    "Tag": "order", "Metadata": {"order": "4711"},
    "ListUnsubscribe": {"Url": "https://shop.example.test/u?t=1", "Mailto": "mailto:leave@example.test"},
}))
END
"$BUILD/tests/it/mailout_probe" publish bulk < "$TMP/request" || die 'publish'

for recipient in support+rt@example.test photos@example.test support+vip@example.test; do
	came $recipient || die "nothing came for $recipient: $(tail -n 3 "$SANDBOX_DIR/log/mailout.log")"
	row $recipient > "$TMP/row"
	name="to $recipient:"
	is "$(field '[.route, .mailbox_hash]')" "$(case $recipient in
		*+rt@*) echo '["support","rt"]' ;; photos@*) echo '["photos",""]' ;; *) echo '["vip","vip"]' ;; esac)" "$name route"
	is "$(field .sender)" '"shop@example.test"' "$name envelope sender"
	is "$(field .message_id)" "\"$id@example.test\"" "$name Message-ID is made of the request's"
	is "$(field '[.from_email, .from_name]')" '["shop@example.test","Jürgen \"the Shop\" Müller, Berlin"]' "$name From"
	is "$(field .to)" "$(jq -cnS '[{Email: "support+rt@example.test", Name: "Support", MailboxHash: "rt"},
		{Email: "yamada@example.net", Name: "山田太郎", MailboxHash: ""}]')" "$name To"
	is "$(field .cc)" '[{"Email":"photos@example.test","MailboxHash":"","Name":"Photos & Albums"}]' "$name Cc"
	is "$(field .bcc)" '[]' "$name no Bcc"
	unlike "$(field '[.headers[] | select(.Name | test("^(Delivered-To|X-Original-To)$") | not)]')" 'vip@|"Bcc"' \
		"$name nor is it told in another field of ours"
	is "$(field .reply_to)" '"Réponse <answers@example.test>"' "$name Reply-To"
	is "$(field .subject)" "$(jq -cS .Subject "$TMP/request")" "$name Subject"
	is "$(field .text)" "$(jq -cS .TextBody "$TMP/request")" "$name text"
	is "$(field .html)" "$(jq -cS .HtmlBody "$TMP/request")" "$name HTML"
	is "$(field .in_reply_to)" '["q2@example.net"]' "$name In-Reply-To"
	is "$(field .references)" '["q1@example.net","q2@example.net"]' "$name References"
	is "$(field '[.headers[] | select(.Name == "X-Order") | .Value]')" '["4711 – Größe"]' "$name a header of the application's"
	is "$(field '[.headers[] | select(.Name | startswith("List-Unsubscribe")) | .Value]')" \
		'["<https://shop.example.test/u?t=1>, <mailto:leave@example.test>","List-Unsubscribe=One-Click"]' "$name List-Unsubscribe"
	is "$(field .defects)" '[]' "$name no defects"
	is "$(field '.age >= 0 and .age < 60')" true "$name Date"
	is "$(attachments $recipient | tr '\t' '|')" "$(printf '%s|%s|%s|%s|%s|%s\n' \
		logo.png image/png inline logo@shop "$(stat -c %s "$media/logo.png")" "$(sha256sum < "$media/logo.png" | cut -c 1-64)" \
		'Rechnung Größe.pdf' application/pdf attachment - "$(stat -c %s "$media/invoice.pdf")" \
		"$(sha256sum < "$media/invoice.pdf" | cut -c 1-64)")" "$name files"
done
sent() { [ "$(sql "SELECT COUNT(*) FROM outbound_recipients WHERE status = 'sent' AND outbound_id = UNHEX(REPLACE('$id', '-', ''))")" = 4 ]; }
ok 'the record has four recipients' wait_for 30 sent
is "$(count_rows "message_id_header LIKE '$id@%'")" 3 'three rows, and the fourth mail went elsewhere'
done_testing
