#!/bin/sh
# A poster's notices arrive: from nobody that an answer could go to, automatic, as replies, each once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
use_sandbox --only broker,database
mailout_setup
notice_setup
mail "$verified" | post ann@x.example > "$TMP/document"
mail "$verified" 'Accept-Language: de-DE, en' | post ann@x.example > "$TMP/german"
notices delayed 4.3.0 < "$TMP/document"
# A worker that was killed before its acknowledgement does it again.
notices delayed 4.3.0 < "$TMP/document"
notices failed 5.6.0 < "$TMP/document"
notices failed 4.3.0 < "$TMP/german"
is "$(made): $(words)" '4: ' 'four requests'
mailout_start
recorded 'sent 3'
wait_for 30 is_empty mail.out.transactional
mailout_stop
is "$(mail_count)" 3 'the repeated one is sent once'
is "$(cut -f2 "$SINK/mails" | sort -u)" '' 'the return path is null'
is "$(cut -f3 "$SINK/mails" | sort -u)" ann@x.example 'to the poster'
tr -d '\r' < "$SINK/bodies" > "$TMP/bodies"
fields() { grep -i "^$1:" "$TMP/bodies" | sort | uniq -c | sed 's/^ *//'; }
is "$(fields Auto-Submitted)" '3 Auto-Submitted: auto-replied' 'automatic'
is "$(fields X-Auto-Response-Suppress)" '3 X-Auto-Response-Suppress: All' 'for Exchange, too'
is "$(fields In-Reply-To)" '3 In-Reply-To: <1@x.example>' 'a reply'
is "$(fields References)" '3 References: <1@x.example>' 'in its thread'
is "$(fields From)" '3 From: Example Mail <mail@example.test>' 'from whom the config says'
is "$(fields To)" '3 To: ann@x.example' 'To'
is "$(fields Subject)" '1 Subject: Ihre Mail wurde nicht zugestellt: The invoice
1 Subject: Your mail is delayed: The invoice
1 Subject: Your mail was not delivered: The invoice' "the mail's subject, in the poster's language"
id=$(jq -r .MessageID "$TMP/document")
is "$(grep -c "Reference: $id" "$TMP/bodies")" 2 'its id'
like "$(cat "$TMP/bodies")" '^The database that it goes into is not available\.$' 'why it is delayed'
like "$(cat "$TMP/bodies")" '^  It is built in a way that we cannot process\.$' 'why it is given up'
unlike "$(cat "$TMP/bodies")" 'secret' 'the reason in the log is not for strangers'
is "$(sql "SELECT tag, JSON_UNQUOTE(JSON_EXTRACT(metadata, '$.MessageID')) FROM outbound WHERE metadata LIKE '%$id%' ORDER BY tag")" \
	"notice-delayed	$id
notice-failed	$id" 'the record tells which mail they are about'
done_testing
