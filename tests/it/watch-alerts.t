#!/bin/sh
# mailctl watch: a database that is away is told once by each way, in a digest, and all clear when it is back;
# with the broker away the alert still arrives.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/watch.sh"
plan 27
own_sandbox
watch_setup
counts() { echo "$(wc -l < "$TMP/told") $(mails_to ops@example.test) $(mails_to sms@example.test)"; }
server() { "$SANDBOX" "$1" "$SANDBOX_DIR" "$2" > "$TMP/server.log" 2>&1 || die "$1 $2: $(cat "$TMP/server.log")"; }

wait_for 60 watch --once --quiet
is "$(watch --once --quiet | grep -vc '^ok ')" 1 'nothing is wrong'
watch_start
rounds 3
is "$(counts)" '0 0 0' 'so nobody is told'

server halt database
await_told 1
is "$(told)" 'new database' 'the database is away: the command is run'
await_mails_to ops@example.test 1
await_mails_to sms@example.test 1
rounds 3
is "$(counts)" '1 1 1' 'one command, one mail, one SMS'
like "$(subjects_to ops@example.test)" '^Critical: the database is away \(' 'the mail'
like "$(cat "$TMP/text")" 'the database is away, since ....-..-.. ..:.. UTC: .*2002' "the command's standard input"
python3 - "$SINK/bodies" > "$TMP/sms" <<-'END'
	import email, email.policy, re, sys
	raw = open(sys.argv[1], "rb").read()
	for part in re.split(rb"(?m)^(?=Date: )", raw):
	    if b"To: sms@example.test" not in part:
	        continue
	    message = email.message_from_bytes(part, policy=email.policy.SMTP)
	    text = message.get_content().strip()
	    print(message.get_content_type(), len(text) <= 160, message["Auto-Submitted"], text)
END
like "$(cat "$TMP/sms")" '^text/plain True auto-generated CRITICAL [^ ]+: the database is away - ' 'the SMS has at most 160 characters'

watch_stop
watch_set pauses '1s 1h'
watch_start
await_told 2
is "$(told | tail -n 1)" 'digest database' 'while it lasts: a digest'
await_mails_to ops@example.test 2
await_mails_to sms@example.test 2
like "$(subjects_to ops@example.test | tail -n 1)" '^Critical: still: the database is away \(' 'which says so'

watch_stop
is "$watch_status" 0 'the watcher ends'
watch_set pauses 1h
watch_start
rounds 3
is "$(counts)" '2 2 2' 'and starts again without telling it again'
watch_kill
watch_start
rounds 3
is "$(counts)" '2 2 2' 'nor when it was killed'

server up database
await_told 3
is "$(told | tail -n 1)" 'over database' 'all clear'
await_mails_to ops@example.test 3
await_mails_to sms@example.test 3
like "$(subjects_to ops@example.test | tail -n 1)" '^All clear: the database is back \(' 'by mail'
like "$(subjects_to sms@example.test | tail -n 1)" '^the database is back$' 'and by SMS'
rounds 3
is "$(counts)" '3 3 3' 'once'

server kill broker
await_told 4
is "$(told | tail -n 1)" 'new broker' 'the broker is away: told all the same'
await_mails_to ops@example.test 4
await_mails_to sms@example.test 4
like "$(subjects_to ops@example.test | tail -n 1)" '^Critical: the broker is away \(' 'by mail'
rounds 3
is "$(counts)" '4 4 4' 'once'
watch_stop
server up broker

# What else it finds, in single rounds.
rm "$TMP/state/"*
wait_for 60 watch --once --quiet
: > "$TMP/told"
server halt mailout
wait_for 60 sh -c "! '$BUILD/bin/mailctl' -c '$TMP/conf' watch --once --quiet"
like "$(watch --once --quiet)" '^error    consumers: a queue has no consumer: mail.out.transactional \(0 messages wait\); mail.out.bulk ' 'queues without consumers'
amqp-publish -u "$AMQP_URL" -e mail.dead -r mail.in.support -b x
amqp-publish -u "$AMQP_URL" -e mail.out -r bulk -b x
amqp-publish -u "$AMQP_URL" -e mail.out -r bulk -b x
watch_set queue_depth 1
watch_set queue_age 200ms
watch_set restarts 1
is_found() {
	watch --once --json 2>> "$TMP/log" > "$TMP/json"
	[ "$(jq '[.Findings[] | select(.Subject == "queue-age" and .Level == "error")] | length' "$TMP/json")" = 1 ]
}
ok 'several things at once' wait_for 60 is_found
mkdir -p "$TMP/templates/bad"
watch_set command "echo \"\$MAILPIPE_ALERT \$MAILPIPE_KINDS\" >> $TMP/told"
printf '%s 1 6\n%s 2 6\n' "$(date +%s)000" "$(date +%s)001" > "$TMP/state/restarts.mailout"
echo '{{#open}}' > "$TMP/templates/bad/text.mustache"
echo x > "$TMP/templates/bad/subject.mustache"
echo '{}' > "$TMP/templates/bad/template.json"
sed -i "s|^templates = .*|templates = $TMP/templates $TREE/templates|" "$TMP/conf"
watch --once --json 2>> "$TMP/log" > "$TMP/json"
is $? 1 'the exit status tells'
finding() { jq -r --arg kind "$1" '.Findings[] | select(.Subject == $kind) | .Level + " " + .Text' "$TMP/json"; }
is "$(finding dead-letters)" 'error there are dead letters: 1 wait in mail.dead (mailctl dead list)' 'dead letters'
is "$(finding queue-depth)" 'error a queue is too long: 2 messages wait in mail.out.bulk' 'a long queue'
like "$(finding queue-age)" '^error messages do not move: mail.out.bulk has not become shorter for 0 min, 2 messages wait$' 'one that does not move'
is "$(finding restarts)" 'error workers restart in circles: 2 workers of mailout have ended, the last one by signal 6' 'workers that die'
like "$(finding templates)" '^error a mail template is broken: template bad/' 'a broken template'
