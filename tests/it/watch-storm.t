#!/bin/sh
# A storm of troubles of one kind is one alert and then digests; what comes and goes is one trouble.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/watch.sh"
plan 9
use_sandbox --only broker,database
watch_setup
# The first digest after a moment, another one not within this test; nothing is over so soon.
watch_set pauses '3s 1h'
watch_set clear_after 10m
mkdir "$TMP/templates"
sed -i "s|^templates = .*|templates = $TMP/templates $TREE/templates|" "$TMP/conf"
"$BUILD/bin/mailctl" -c "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
for program in mailin-ingest mailout; do
	"$BUILD/sbin/$program" --config "$TMP/conf" --foreground 2>> "$TMP/workers.log" 4>&- &
	at_exit "kill -KILL $! 2> /dev/null"
done
is_well() { watch --once --quiet > "$TMP/well"; }
wait_for 60 is_well || diag "$(cat "$TMP/well")"
# What was told by command, mail and SMS.
counts() { echo "$(wc -l < "$TMP/told") $(mails_to ops@example.test) $(mails_to sms@example.test)"; }
watch_start
for number in $(seq 9); do
	amqp-publish -u "$AMQP_URL" -e mail.dead -r mail.in.support -b "$number"
	rounds 1
done
await_told 2
rounds 5
is "$(told)" 'new dead-letters
digest dead-letters' 'nine dead letters, one after the other: an alert and a digest'
await_mails_to ops@example.test 2
await_mails_to sms@example.test 2
is "$(counts)" '2 2 2' 'by each way'

# Ten times as many as were told of last is news; ten times that would be 100 at least.
for number in $(seq 10 95); do
	amqp-publish -u "$AMQP_URL" -e mail.dead -r mail.in.support -b "$number"
done
await_told 3
rounds 5
is "$(told | tail -n +3)" 'new dead-letters' 'many more: one alert'

# A template that is broken, mended, broken ...
mkdir "$TMP/templates/bad"
echo '{{#open}}' > "$TMP/templates/bad/text.mustache"
echo x > "$TMP/templates/bad/subject.mustache"
echo '{}' > "$TMP/templates/bad/template.json"
await_told 4
is "$(told | tail -n 1)" 'new dead-letters templates' 'another kind is told at once'
for number in $(seq 8); do
	echo fine > "$TMP/templates/bad/text.mustache"
	rounds 2
	echo '{{#open}}' > "$TMP/templates/bad/text.mustache"
	rounds 2
done
await_told 5
rounds 5
is "$(told | tail -n +5)" 'digest dead-letters templates' 'coming and going it is the same trouble: a digest'
await_mails_to ops@example.test 5
await_mails_to sms@example.test 5
is "$(counts)" '5 5 5' 'by each way'

# When it is over that is told once.
watch_stop
echo fine > "$TMP/templates/bad/text.mustache"
"$BUILD/bin/mailctl" -c "$TMP/conf" dead drop --all --yes > "$TMP/out" 2>&1 || diag "$(cat "$TMP/out")"
watch_set clear_after 1s
watch_start
await_told 6
rounds 5
is "$(told | tail -n +6)" 'over dead-letters templates' 'all clear'
await_mails_to ops@example.test 6
await_mails_to sms@example.test 6
watch_stop
is "$(counts)" '6 6 6' 'by each way'
is "$watch_status" 0 'the watcher ends'
