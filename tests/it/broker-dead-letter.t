#!/bin/sh
# A message that is delivered more than twenty times without an ack goes to mail.dead.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/probe.sh"
plan 3
use_sandbox --only broker,database
printf '[route support]\nrecipients = support@example.com\n' > "$TMP/conf"
probe open "topology $TMP/conf" confirm 'publish mail.in support poison' > /dev/null
set -- open 'consume mail.in.support 1'
for _ in $(seq 21); do
	set -- "$@" next 'nack 1'
done
is "$(probe "$@" 'next 500' | grep -c '^delivery')" 21 'delivered, and twenty times again'
wait_for 30 sh -c "amqp-get -u $AMQP_URL -q mail.dead > $TMP/dead"
is "$(cat "$TMP/dead")" poison 'then it is in mail.dead'
empty() { probe open 'check-queue mail.in.support' | grep -q '^ok 0 messages 0 consumers$'; }
ok 'and not in its queue' wait_for 30 empty
