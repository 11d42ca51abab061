#!/bin/sh
# A notice that bounces causes no other one, by the real way: through Postfix out, and through Postfix in again.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 14
own_pipeline
trace_logs
ingest_log=$SANDBOX_DIR/log/ingest.log
# The client is the server that has looked at the sender: it stands before ours (authserv_hops).
sed -i 's/^\[mailpipe\]/&\nauthserv_ids = mx.example.test\nauthserv_hops = 2/' "$CONFIG"
cat >> "$CONFIG" <<-END

	[notify]
	from = Support <support@example.test>
END
for program in ingest mailout; do
	"$SANDBOX" halt "$SANDBOX_DIR" $program
	"$SANDBOX" up "$SANDBOX_DIR" $program || die "$program does not start"
done
# For gone.example it is Postfix itself that cannot deliver.
postconf -c "$POSTFIX_CONFIG" -e \
	"transport_maps = $(postconf -c "$POSTFIX_CONFIG" -hx transport_maps), inline:{{gone.example=error:5.1.1 nobody of that name}}"
touch -d '1 minute ago' "$POSTFIX_CONFIG/main.cf"
postfix -c "$POSTFIX_CONFIG" reload 2> /dev/null || die 'postfix reload'
# Nothing can be stored, and that for good: the poster of each mail is told of it, if there is one to be told.
sql "CREATE TRIGGER broken BEFORE INSERT ON messages FOR EACH ROW
	SIGNAL SQLSTATE '22001' SET MYSQL_ERRNO = 1406, MESSAGE_TEXT = 'broken'"

# come SENDER FILE: the mail in FILE, from that envelope sender.
come() {
	sed 's/$/\r/' "$2" > "$TMP/crlf"
	send --from "$1" --file "$TMP/crlf" support@example.test
}
# question SENDER: a mail of somebody whose domain is established.
question() {
	printf '%s\n' "Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=${1#*@}" \
		"From: $1" 'To: support@example.test' "Subject: $TAG question" "Message-ID: <$1>" '' 'Hello' > "$TMP/mail"
	come "$1" "$TMP/mail"
}
waiting() { "$BUILD/tests/it/ingest_probe" count "$1"; }
dead_are() { [ "$(waiting mail.dead)" = "$1" ]; }
notices() { grep -c ' event=notice ' "$ingest_log"; }
why_is() { [ "$(why)" = "$1" ]; }
why() { sed -n 's/.* event=no-notice kind=failed why=//p' "$ingest_log" | sort | paste -sd ' '; }
boxes() { find "$MAILBOX" -type f; }
has_boxes() { [ "$(boxes | wc -l)" = "$1" ]; }

lost=$(question ann@gone.example)
wait_for 30 dead_are 1
bounced() { grep -q 'to=<ann@gone.example>.*status=bounced' "$POSTFIX_LOG"; }
ok 'a notice bounces' wait_for 60 bounced
notice=$(sed -n 's/.*: \([^ ]*\): to=<ann@gone.example>.*status=bounced.*/\1/p' "$POSTFIX_LOG")
removed() { grep -q " $notice: removed" "$POSTFIX_LOG"; }
wait_for 30 removed
postfix_says "$notice" ' from=<>, ' 'it came from nobody'
is "$(waiting mail.dead) $(notices)" '1 1' 'so Postfix sent nothing back'
trace "$(sed -n 's/.* event=notice kind=failed id=\([^ ]*\) .*/\1/p' "$ingest_log")"
is "$(said '.Messages[0] | .Direction + " " + .State')" 'outbound bounced' 'trace tells its fate'
trace "$lost"
is "$(said '.Messages[0] | .State + " " + ([.Events[] | select(.Source == "database" and .Event == "notice")] | length | tostring)')" \
	'dead 1' 'and that of the mail it was about'

# Servers that break the rules send it back to From.
question bob@x.example > "$TMP/kept"
wait_for 60 has_boxes 1
tr -d '\r' < "$(boxes)" > "$TMP/notice"
like "$(cat "$TMP/notice")" '^Auto-Submitted: auto-replied$' 'another notice arrives'
bounce() {
	printf '%s\n' "$@" 'To: support@example.test' "Subject: Undelivered: $TAG" 'MIME-Version: 1.0' \
		'Content-Type: multipart/report; report-type=delivery-status; boundary=b' '' '--b' '' 'no such user' '' \
		'--b' 'Content-Type: message/delivery-status' '' 'Reporting-MTA: dns; x.example' '' \
		'Final-Recipient: rfc822; bob@x.example' 'Action: failed' 'Status: 5.1.1' '' '--b' \
		'Content-Type: message/rfc822' ''
	cat "$TMP/notice"
	printf '\n--b--\n'
}
bounce 'From: MAILER-DAEMON@x.example' > "$TMP/mail"
returned=$(come '' "$TMP/mail")
wait_for 30 dead_are 3 || diag "dead letters: $(waiting mail.dead)"
wait_for 30 why_is null-sender
is "$(why)" null-sender 'a bounce from nobody, which cannot be stored either: nobody is told'
bounce 'Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=x.example' 'From: Mailer <bob@x.example>' > "$TMP/mail"
come bob@x.example "$TMP/mail" > "$TMP/id"
wait_for 30 dead_are 4 || diag "dead letters: $(waiting mail.dead)"
wait_for 30 why_is 'automatic null-sender'
is "$(why)" 'automatic null-sender' 'nor of a bounce that somebody sent'
# (Their own header says that they are automatic: what would not is a holiday notice of an ill-behaved program,
# and of those notify.per_address_per_day allows only so many.)
is "$(notices) $(sql 'SELECT COUNT(*) FROM outbound')" '2 2' 'there were two notices'

sql 'DROP TRIGGER broken'
"$SANDBOX_DIR/usr/bin/mailctl" -c "$CONFIG" dead requeue --all > "$TMP/out" 2>&1 || diag "$(cat "$TMP/out")"
ok 'when it is mended all are stored' rows_become 4 'TRUE' 60
is "$(sql "SELECT sender, auto FROM messages WHERE queue_id = '$returned'")" '	bounce' 'the bounce as that'
trace "$returned"
is "$(said '.Messages[0] | .State + " " + ([.Events[] | select(.Event == "notice")] | length | tostring)')" 'stored 0' \
	'and trace knows of no notice about it'
ok "Postfix's queue is empty" wait_for 30 queue_is_empty
wait_for 30 dead_are 0
is "$(notices) $(sql 'SELECT COUNT(*) FROM outbound') $(boxes | wc -l) $(waiting mail.dead)" '2 2 1 0' 'and nobody was told anything more'
