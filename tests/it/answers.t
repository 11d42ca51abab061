#!/bin/sh
# Who opens a ticket hears its number, once, unless nobody should; what comes back of us is recognised.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
. "$(dirname "$0")/../lib/answers.sh"
use_sandbox --only broker,database
answers_setup
notice_set answers_per_address_per_day 3

# Neither an hour nor a day ends within the test.
within_the_hour 120
ingest_start
mailout_start

# ---- a ticket, and what follows in it ----
number=1 mail "$verified" | sed 's/^From:.*/From: "Ann B." <ann@x.example>/' | arrive support ann@x.example
delivered 1
recorded 'sent 1'
tr -d '\r' < "$SINK/bodies" > "$TMP/first"
field() { sed -n "s/^$1: //p" "$TMP/first" | head -n 1; }
ticket=$(sql 'SELECT number FROM tickets')
is "$(field Subject)" "We have your message: The invoice [#$ticket]" 'the number of the ticket'
is "$(cut -f2,3 "$SINK/mails")" "	ann@x.example" 'to the poster, with a null return path'
like "$(field Reply-To)" '^support\+[a-z2-7]{26}@example\.test$' 'the reply address is that of the thread'
is "$(field Auto-Submitted)|$(field X-Loop)|$(field In-Reply-To)" 'auto-replied|mailpipe/sandbox|<1@x.example>' 'an automatic reply, marked as ours'
like "$(cat "$TMP/first")" '^Hello Ann B\.,$' 'the name'
like "$(cat "$TMP/first")" '^> Hello$' 'what was written'
is "$(sql 'SELECT tag, status FROM outbound' | tr '\t' ' ')" 'ticket-received sent' 'the record'
is "$(sql 'SELECT status FROM tickets')" open 'nobody has answered the ticket yet'
number=2 mail "$verified" 'In-Reply-To: <1@x.example>' | arrive support ann@x.example
stored 2

# ---- nobody hears of ----
number=3 mail "$verified" 'Auto-Submitted: auto-generated' | arrive support ann@x.example
number=4 mail "$verified" 'List-Id: <list.x.example>' | arrive support ann@x.example
number=5 mail "$verified" | arrive support ''
number=6 mail | arrive support ann@x.example
number=7 mail "$verified" | arrive support support@example.test
decided 6
is "$(unanswered)" '2 automatic,1 null-sender,1 own,1 unverified' 'automatic, unverified and own mail is not answered'
is "$(sql 'SELECT COUNT(*) FROM tickets')" 6 'but there are tickets'

# ---- an out-of-office reply, and our own mail, reopen nothing ----
sql "UPDATE tickets SET status = 'closed'"
ours=$(sql "SELECT message_id_header FROM outbound")
number=8 mail "$verified" 'Auto-Submitted: auto-replied' 'In-Reply-To: <1@x.example>' | arrive support ann@x.example
number=9 mail "$verified" 'X-Loop: somebody else' 'X-Loop: mailpipe/sandbox' 'In-Reply-To: <1@x.example>' | arrive support ann@x.example
mail "$verified" 'References: <1@x.example>' | sed "s/^Message-ID:.*/Message-ID: <$ours>/" | arrive support ann@x.example
stored 10
of() { sql "SELECT m.auto FROM ticket_messages t JOIN messages m ON m.id = t.message_id WHERE m.message_id_header = '$1' AND t.ticket_id =
	(SELECT id FROM tickets WHERE number = $ticket)"; }
is "$(of 8@x.example) $(of 9@x.example) $(of "$ours")" 'replied loop loop' 'each is stored in the ticket as what it is'
is "$(jq -r .Mailpipe.Auto "$TMP/document")" no 'a copied Message-ID is known by the record alone'
is "$(sql "SELECT status FROM tickets WHERE number = $ticket")" closed 'and the ticket stays closed'
uuid=$(cat /proc/sys/kernel/random/uuid)
mail "$verified" 'In-Reply-To: <1@x.example>' | sed "s/^Message-ID:.*/Message-ID: <$uuid@example.test>/" | arrive support ann@x.example
stored 11
is "$(of "$uuid@example.test") $(sql "SELECT status FROM tickets WHERE number = $ticket")" 'no open' \
	'a Message-ID that only looks like ours is not one of ours'
number=10 mail "$verified" 'X-Loop: mailpipe/sandbox' | arrive support ann@x.example
decided 7
is "$(unanswered)" '3 automatic,1 null-sender,1 own,1 unverified' 'a loop begins no other one'

# ---- only so many ----
for number in 21 22 23 24; do
	mail "$verified" | sed 's/ann@/carl@/' | arrive support carl@x.example
done
decided 11
is "$(made_answers): $(unanswered)" '4: 3 automatic,1 limit,1 null-sender,1 own,1 unverified' 'three a day, and no fourth'
ok 'they are counted' test -s "$(sed -n 's/^state_dir = //p' "$TMP/conf")/answers.counts"
delivered 4
is "$(cut -f3 "$SINK/mails" | sort | uniq -c | sed 's/^ *//' | tr '\n' ' ')" '1 ann@x.example 3 carl@x.example ' 'so many were sent'
number=25 mail "$verified" | sed 's/ann@/carl@/' | post carl@x.example > "$TMP/document"
notices failed 5.6.0 < "$TMP/document"
is "$(made): $(words)" '1: ' 'a failure is still told'
delivered 5

# ---- a gallery ----
photo() { "$TREE/tests/lib/photo-mail" --subject Summer --header 'From: Ann <ann@x.example>' --header "$verified" "$@"; }
image=$(find "$TREE/tests/images" -name '*.jpg' | sort | head -n 1)
: > "$SINK/bodies"
photo "$image,name=sea.jpg" "100:1,name=run.exe,type=application/octet-stream" > "$TMP/mail"
sed -i 's/^attachments_refused = drop/&\nattachments_other = refuse/' "$TMP/conf"
ingest_stop
ingest_start
arrive photos ann@x.example < "$TMP/mail"
delivered 6
tr -d '\r' < "$SINK/bodies" > "$TMP/first"
is "$(field Subject)" 'Your photos are here: photos' 'a gallery'
like "$(cat "$TMP/first")" '^  - sea\.jpg$' 'what was taken'
like "$(cat "$TMP/first")" '^Not taken: run\.exe\. The file is no photo\.$' 'what was not, and why'

# ---- nobody takes it ----
ingest_stop
notice_set stream other
printf '\n[stream transactional]\n\n[stream other]\n' >> "$TMP/conf"
ingest_start
number=30 mail "$verified" | sed 's/ann@/dora@/' | arrive support dora@x.example
wait_for 60 logged 'event=no-notice .*why=unpublished'
wait_for 30 is_empty mail.in.support
ingest_stop
mailout_stop
is "$(unanswered | tr ',' '\n' | grep unpublished) $(sql "SELECT COUNT(*) FROM messages WHERE sender = 'dora@x.example'")" '1 unpublished 1' \
	'after some tries the mail does not wait any more'
done_testing
