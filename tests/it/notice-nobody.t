#!/bin/sh
# No notice goes to forged or automatic senders, and what comes back of a notice causes no other one.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
use_sandbox --only broker,database
mailout_setup
notice_setup

# refused WORD SENDER NAME: the mail in $TMP/mail causes neither kind of notice.
refused() {
	: > "$TMP/words"
	post "$2" < "$TMP/mail" > "$TMP/document"
	notices delayed 4.3.0 < "$TMP/document"
	notices failed 5.6.0 < "$TMP/document"
	is "$(words)" "2 $1" "$3"
}
mail > "$TMP/mail"
refused unverified ann@x.example 'nobody has looked at the sender'
mail 'Authentication-Results: mx.example.test; spf=fail smtp.mailfrom=x.example' > "$TMP/mail"
refused unverified ann@x.example 'SPF fails'
mail 'Authentication-Results: mx.y.example; spf=pass smtp.mailfrom=x.example' > "$TMP/mail"
refused unverified ann@x.example \
	'a field that anybody may have written'
mail "$verified" > "$TMP/mail"
refused unverified bob@y.example 'another sender than the one that was looked at'
mail "$verified" > "$TMP/mail"
refused own support@example.test 'a route of ours'
mail "$verified" > "$TMP/mail"
refused own Mail+x@example.test 'whom notices are from'
mail "$verified" 'Auto-Submitted: auto-generated' > "$TMP/mail"
refused automatic ann@x.example 'Auto-Submitted'
mail "$verified" 'List-Id: <list.x.example>' > "$TMP/mail"
refused automatic ann@x.example 'a mailing list'
mail "$verified" 'Precedence: bulk' > "$TMP/mail"
refused automatic ann@x.example 'Precedence'
mail "$verified" > "$TMP/mail"
refused automatic list-bounces@x.example "a list's sender"
mail "$verified" > "$TMP/mail"
refused null-sender '' 'the null sender'
head -c 3000 /dev/zero | tr '\0' x | post ann@x.example | jq -c '.Headers = []' > "$TMP/document"
: > "$TMP/words"
notices failed 5.6.0 < "$TMP/document"
echo 'no document' | notices failed 5.6.0
is "$(words)" '2 unreadable' 'what cannot be parsed'
is "$(made)" 0 'nothing was made'

# A notice, and what the world answers.
mail "$verified" | post unknown@x.example > "$TMP/document"
notices failed 5.6.0 < "$TMP/document"
mail "$verified" | post ann@x.example > "$TMP/document"
notices failed 5.6.0 < "$TMP/document"
is "$(made)" 2 'two notices'
mailout_start
recorded 'failed 1,sent 1'
wait_for 30 is_empty mail.out.transactional
mailout_stop
{
	printf 'From: MAILER-DAEMON@x.example\nTo: mail@example.test\nSubject: Undelivered\n'
	printf 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n'
	printf 'no such user\n\n--b\nContent-Type: message/rfc822\n\n'
	tr -d '\r' < "$SINK/bodies"
	printf '\n--b--\n'
} > "$TMP/mail"
refused null-sender '' 'a bounce of a notice'
refused automatic postmaster@x.example 'even from somebody'
mail "$verified" 'Auto-Submitted: auto-replied' > "$TMP/mail"
refused automatic ann@x.example 'a holiday notice for a notice'
is "$(made) $(waiting mail.out.transactional) $(mail_count)" '2 0 1' 'no other notice was made'
done_testing
