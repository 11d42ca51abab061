#!/bin/sh
# mailout --direct sends one request by SMTP without broker and database, once, and its status tells.
. "$(dirname "$0")/../lib/tap.sh"
plan 24
mailout=$BUILD/sbin/mailout
SINK=$TMP/sink
mkdir -p "$SINK"
"$TREE/tests/lib/smtp-sink.py" "$SINK" 2> "$TMP/sink.log" &
sink=$!
# shellcheck disable=SC2016
at_exit 'kill "$sink" 2> /dev/null'
wait_for 30 test -s "$SINK/port" || die "the sink does not start: $(cat "$TMP/sink.log")"
# Neither of both is there.
cat > "$TMP/conf" <<-END
	[amqp]
	hosts = 127.0.0.1:1
	[mysql]
	socket = /nowhere
	mailout_password_file = /nowhere
	[smtp]
	hosts = 127.0.0.1:$(cat "$SINK/port")
	timeout = 30s
	[mailout]
	from = Watch <watch@example.test>
	templates = $TREE/templates
	[log]
	target = stderr
END
direct() { timeout 60 "$mailout" -c "$TMP/conf" --direct 2> "$TMP/errors"; }
request() { echo '{"MessageID": "00000000-0000-4000-8000-00000000000'"$1"'", "To": "'"$2"'", "Subject": "Hello", "TextBody": "Hello"}'; }
mails() { wc -l < "$SINK/mails"; }

out=$(request 1 a@example.test | direct)
is "$? $out" '0 ' 'it is sent: exit status'
is "$(cut -f 2,3,4,5 "$SINK/mails")" "$(printf 'watch@example.test\ta@example.test\t<00000000-0000-4000-8000-000000000001@example.test>\tHello')" \
	'the message'
is "$(grep -Ec '^mailout[^ ]* - 00000000-0000-4000-8000-000000000001 event=sent stream=direct to=a@example.test code=250 ' "$TMP/errors")" 1 \
	'a line of the log'
: > "$SINK/bodies"
echo '{"To": "ops@example.test", "TemplateAlias": "admin-alert-sms", "TemplateModel": {"title": "a title"}}' | direct
is $? 0 'with a template'
like "$(cat "$SINK/bodies")" '^Warning: a title' 'which is rendered'

: > "$SINK/mails"
request 2 'a@example.test, unknown@example.test' | direct
is $? 69 'a recipient is refused: exit status'
like "$(cat "$TMP/errors")" '^mailout: failed unknown@example.test: 5.1.1 there is nobody of that name$' 'who and why'
is "$(cut -f 3 "$SINK/mails")" 'a@example.test' 'the other one gets it'
request 3 'unknown@example.test, tempfail@example.test' | direct
is $? 75 'a recipient is deferred: exit status'
like "$(cat "$TMP/errors")" '^mailout: deferred tempfail@example.test: 4.2.1 mailbox is busy$' 'who and why'
: > "$SINK/mails"
request 4 cut@example.test | direct
is $? 75 'no answer after the data: exit status'
like "$(cat "$TMP/errors")" '^mailout: in-doubt cut@example.test: ' 'it is in doubt'
is "$(mails)" 1 'and is not sent again'

: > "$SINK/mails"
echo '{"To": "a@example.test", "Subject": "x", "TextBdy": "y"}' | direct
is $? 65 'a request that is refused'
like "$(cat "$TMP/errors")" '^mailout: 5\.6\.0 TextBdy: ' 'the reason'
echo '{"To": "a@example.test", "Subject": "x", "TextBody": "y", "SendAt": "2100-01-01T00:00:00Z"}' | direct
is $? 65 'one that is to be sent later'
echo '{"To": "a@example.test", "Subject": "x", "TextBody": "y", "DryRun": true}' | direct
is $? 0 'a dry run'
is "$(mails)" 0 'nothing of these is sent'

echo '{"To": "a@example.test", "Subject": "x", "TextBody": "y", "EnvelopeSender": ""}' | direct
is "$? $(cut -f 2 "$SINK/mails")" '0 ' 'the null sender'

echo 421 > "$SINK/mode"
request 5 a@example.test | direct
is $? 75 'the server takes nothing'
echo 'pause 60' > "$SINK/mode"
sed -i 's/^timeout = .*/timeout = 2s/' "$TMP/conf"
request 6 a@example.test | direct
is $? 75 'the server does not answer in time'
kill "$sink"
wait "$sink" 2> /dev/null
request 7 a@example.test | direct
is $? 75 'the server is away'
like "$(cat "$TMP/errors")" '^mailout: deferred a@example.test: 4.4.1 .*refused' 'why'
sed -i 's/^timeout/user = me\npassword_file = \/nowhere\ntimeout/' "$TMP/conf"
request 8 a@example.test | direct
is $? 78 'no password for the server'
