#!/bin/sh
# mailctl retry now: what waits in the tiers is moved ahead, by route, stream or id.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/dead.sh"
use_sandbox --only broker,database
dead_setup
is "$(ctl retry now)" '0 of 0 waiting messages are tried now' 'nothing waits'
exchange=mail.retry.10m fill 20 mail.in.support busy
exchange=mail.retry.1h first=101 fill 300 mail.out.bulk busy
exchange=mail.retry.1h first=901 fill 1 mail.in.closed busy
is "$(ctl retry now --id="$(id 7)" --json)" \
	'{"Total":321,"Matched":1,"Moved":1,"Refused":0,"UnknownQueue":0}' 'one'
is "$(numbers mail.in.support)" 7 'is where it waited to go'
is "$(dead_probe all mail.in.support | sed -n 2p | jq -c '.headers | [.attempt, ."last-error", has("requeued")]')" \
	'[3,"busy",false]' 'with its tries'
is "$(ctl retry now --stream=bulk)" '300 of 320 waiting messages are tried now' 'a stream'
await mail.out.bulk 300
is "$(numbers mail.retry.10m | paste -sd ' ')" '1 2 3 4 5 6 8 9 10 11 12 13 14 15 16 17 18 19 20' 'the others wait on'
out=$(ctl retry now 2>&1)
is "$?" 1 'all'
like "$out" '^19 of 20 waiting messages are tried now$' 'that can go'
like "$out" 'retry: 1 stay where they are: .*mail.in.closed' 'and what cannot is told'
await mail.in.support 20
is "$(waiting mail.retry.1h)" 1 'and stays'
ctl retry later > /dev/null 2>&1
is "$?" 64 'another word is wrong usage'
done_testing
