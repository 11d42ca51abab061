#!/bin/sh
# mailctl dead requeue: what is kept and dropped, what stays, and that it ends.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/dead.sh"
use_sandbox --only broker,database
dead_setup

ctl dead requeue > /dev/null 2>&1
is "$?" 64 'without a filter or --all it does nothing'
is "$(ctl dead requeue --all)" '0 of 0 dead letters requeued' 'an empty queue'

printf '{"a":  1}' | dead_probe put mail.dead mail.in.support "$(id 77)"
is "$(ctl dead requeue --id="$(id 77)" --json)" \
	'{"Queue":"mail.dead","Total":1,"Matched":1,"Requeued":1,"Refused":0,"UnknownOrigin":0}' 'one, by its id'
await mail.in.support 1
dead_probe all mail.in.support > "$TMP/message"
is "$(sed -n 2p "$TMP/message" | jq -cS 'del(.headers["x-delivery-count"], .headers["requeued-at"])')" \
	'{"app-id":"a-producer","content-type":"application/json","delivery-mode":2,"headers":{"first-seen":1795348000,"queue-id":"4QUEUEID","requeued":1,"x-producer":"über"},"message-id":"00000000-0000-8000-8000-000000000077","timestamp":1795347999,"type":"a-type"}' \
	'it keeps its id and what its producer wrote; tries begin anew'
is "$(tail -n 1 "$TMP/message")" '{"a":  1}' 'and its body'

fill 700 mail.in.support busy
first=701 fill 5 mail.out.bulk refused
first=801 fill 3 mail.in.closed busy
first=901 fill 2 elsewhere busy
is "$(ctl dead requeue --reason=refused)" '5 of 710 dead letters requeued' 'a filter that leaves most'
is "$(numbers mail.out.bulk | paste -sd ' ')" '701 702 703 704 705' 'they are where they came from'
is "$(numbers mail.dead | head -n 700 | paste -sd ' ')" "$(seq -s ' ' 700)" 'the others stay, in order'
out=$(ctl dead requeue --all 2>&1)
is "$?" 1 'not all of the rest can go'
like "$out" '^700 of 705 dead letters requeued$' 'those that can do'
like "$out" 'dead requeue: 3 stay where they are: .*NO_ROUTE.*mail.in.closed' 'a queue that is gone'
like "$out" 'dead requeue: 2 stay where they are: no queue of mailpipe is their origin' 'and what was never ours'
await mail.dead 5
is "$(numbers mail.dead | paste -sd ' ')" '801 802 803 901 902' 'they are still there'
is "$(ctl dead drop --all 2>&1)" 'mailctl: dead drop: 5 dead letters would be lost for good; say --yes to drop them' \
	'drop asks'
is "$(waiting mail.dead)" 5 'and drops nothing'
is "$(ctl dead drop --reason=busy --limit=4 --yes)" '4 of 5 dead letters dropped' 'until it is told'
await mail.dead 1
ctl dead drop --all --yes > /dev/null
await mail.dead 0

# While new ones come all the time.
fill 3000 mail.in.support busy
for _ in 1 2 3 4 5 6; do first=10001 fill 500 mail.in.support again; done > /dev/null 2>&1 &
filler=$!
ctl dead requeue --reason=busy > "$TMP/told"
is "$?" 0 'with new ones coming meanwhile'
wait "$filler"
is "$(numbers mail.in.support | sort -n | uniq | grep -c '^[0-9]\{1,4\}$')" 3000 'all that were there are requeued'
await mail.dead 3000
is "$(ctl dead list --reason=again --limit=0 --json | jq .Matched)" 3000 'and the new ones wait'
done_testing
