#!/bin/sh
# mailctl dead list and show: filters, what is told, and that everything stays as it was.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/dead.sh"
use_sandbox --only broker,database
dead_setup
shown() { ctl dead list --json "$@" | jq -r '.Messages[].MessageID' | sed 's/.*-0*//' | paste -sd ' '; }

out=$(ctl dead list 2>&1)
is "$?" 0 'an empty queue is no error'
is "$(echo "$out" | tail -n 1)" 'no dead letters' 'and is told'
is "$(ctl dead list --json | jq -c '[.Messages, .Total]')" '[[],0]' 'also in JSON'
is "$(ctl dead list --summary --json | jq -c .Groups)" '[]' 'and as a summary'

fill 3 mail.in.support 'Duplicate entry'
first=4 fill 2 mail.out.bulk 'mailbox unavailable'
first=6 fill 1 somewhere.else 'mailbox full'
is "$(shown)" '1 2 3 4 5 6' 'all, in order'
is "$(shown --route=support)" '1 2 3' 'of a route'
is "$(shown --stream=bulk)" '4 5' 'of a stream'
is "$(shown --route=support --stream=bulk)" '1 2 3 4 5' 'of either'
is "$(shown --reason=MAILBOX)" '4 5 6' 'by a part of the reason'
is "$(shown --reason=mailbox --stream=bulk)" '4 5' 'by both'
is "$(shown --id="$(id 2)" --id="$(id 5)" --id="$(id 77)")" '2 5' 'by id'
is "$(shown --older-than=59m)" '1 2 3 4 5 6' 'given up an hour ago: older than 59 minutes'
is "$(shown --older-than=2h)" '' 'and not older than two hours'
is "$(shown --newer-than=2h --reason=full)" '6' 'but newer'
is "$(ctl dead list --summary --json | jq -c '.Groups[] | [.Count, .Origin, .Reason]')" \
	'[3,"mail.in.support","Duplicate entry"]
[2,"mail.out.bulk","mailbox unavailable"]
[1,"somewhere.else","mailbox full"]' 'a summary'
like "$(ctl dead list 2> /dev/null)" "^$(id 4) +mail.out.bulk +1h +3 +169  mailbox unavailable\$" 'a line of a table'
is "$(ctl dead list --json | jq -c '.Messages[0] | [.Route, .Reason, .Attempts, .Size]')" \
	'["support","Duplicate entry",3,169]' 'facts in JSON'
is "$(numbers mail.dead | paste -sd ' ')" '1 2 3 4 5 6' 'all are where they were'
is "$(shown --limit=2)" '1 2' 'no more than two'
is "$(numbers mail.dead | sort | paste -sd ' ')" '1 2 3 4 5 6' 'and none is lost'

# What came with properties, and is no JSON.
printf 'no \033JSON\377' | dead_probe put mail.dead mail.in.support an-id
is "$(ctl dead show an-id --json | jq -c '[.Origin, .Reason, .Attempts, .FirstSeen, .DeadSince, .PublishedAt, .QueueID, .BodyBase64]')" \
	'["mail.in.support","no JSON",5,"2026-11-22T11:46:40Z","2026-11-22T11:48:20Z","2026-11-22T11:46:39Z","4QUEUEID","bm8gG0pTT07/"]' \
	'show: origin, reason, history, body'
is "$(ctl dead show an-id --json | jq -cS '.Properties | del(.headers["x-delivery-count"])')" \
	'{"app-id":"a-producer","content-type":"application/json","delivery-mode":2,"headers":{"attempt":5,"dead-since":1795348100,"delay-noticed":1795348050000,"first-seen":1795348000,"last-error":"no JSON","queue-id":"4QUEUEID","x-producer":"über"},"message-id":"an-id","timestamp":1795347999,"type":"a-type"}' \
	'and all properties'
ctl dead show an-id --body > "$TMP/body"
printf 'no \033JSON\377' > "$TMP/wanted"
ok 'the body alone is untouched' cmp "$TMP/body" "$TMP/wanted"
unlike "$(ctl dead show an-id | tr -d '\n\t')" '[[:cntrl:]]' 'for people nothing moves the cursor'
bytes=5000 first=8 fill 1 mail.in.support long
like "$(ctl dead show "$(id 8)")" '"x{100,}\.\.\. \(5000 bytes\)"$' 'long strings are cut'
out=$(ctl dead show nothing 2>&1)
is "$?" 1 'show of what is not there'
is "$out" "mailctl: dead show: nothing: none of the 8 dead letters has that id" 'is told'

# RabbitMQ's own dead letter, and one without an id.
amqp-publish -u "$AMQP_URL" -e mail.in -r support -b '{"no": "id"}'
await mail.in.support 1
. "$(dirname "$0")/../lib/probe.sh"
set -- open 'consume mail.in.support 1'
for _ in $(seq 21); do
	set -- "$@" next 'nack 1'
done
probe "$@" > /dev/null
await mail.dead 9
name=sha256-$(printf '{"no": "id"}' | sha256sum | cut -c1-16)
is "$(ctl dead show "$name" --json | jq -c '[.Origin, .Reason, .Properties.headers["x-death"][0].reason, .Body]')" \
	'["mail.in.support","delivered too often from mail.in.support without an answer (RabbitMQ: delivery_limit): it may have killed its worker","delivery_limit",{"no":"id"}]' \
	"RabbitMQ's delivery limit is a reason, and there is a name for what has none"
is "$(waiting mail.dead)" 9 'nothing is lost by looking'
done_testing
