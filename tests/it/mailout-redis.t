#!/bin/sh
# Redis is told the state of each request once it is recorded; when it hangs, mail is sent all the same.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/redis.sh"
plan 11
use_sandbox --only broker,database
mailout_setup
redis_configure
redis_start
id() { printf '00000000-0000-4000-8000-%012d' "$1"; }
in_s() { date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ; }
# told NUMBER STATUS: wait until Redis says that.
told() { wait_for 30 state_is "$(id "$1")" "$2" || diag "$1 is $(state "$(id "$1")")"; }

requests 2 | publish
first=3 requests 1 '' unknown@example.test | publish
first=4 requests 1 '' tempfail@example.test | publish
first=6 requests 1 "\"ExpiresAt\": \"$(in_s -1)\"" | publish
first=7 requests 1 '"DryRun": true' | publish
mailout_start
await_log 'event=consuming'
first=5 requests 1 "\"SendAt\": \"$(in_s 8)\"" | publish bulk
told 5 scheduled
like "$(state "$(id 5)" | jq -r '[.MessageStream, .Attempt, .NextAttempt] | @text')" \
	'^\["bulk",null,"20[0-9-]+T[0-9:]+\.[0-9]{3}Z"\]$' 'one that waits for its time'
told 4 deferred
like "$(state "$(id 4)" | jq -c '[.Attempt >= 1, .Reason, has("NextAttempt")]')" '^\[true,".+",true\]$' \
	'one that is tried again'
told 1 sent
is "$(state "$(id 1)" | jq -c 'del(.At)')" \
	"{\"MessageID\":\"$(id 1)\",\"Direction\":\"outbound\",\"Status\":\"sent\",\"MessageStream\":\"transactional\",\"Attempt\":1}" \
	'one that was sent'
told 3 failed
like "$(state "$(id 3)" | jq -c '[.Reason, has("NextAttempt")]')" '^\[".+",false\]$' 'one that was refused'
told 6 expired
told 7 dry-run
is "$(state "$(id 6)" | jq -r .Status) $(state "$(id 7)" | jq -r .Status)" 'expired dry-run' 'and those that were not sent'
told 5 sent
is "$(state "$(id 5)" | jq -r .Status)" sent 'a later state takes the place of the one before'
ttl=$(redis_cli TTL "mailpipe:$(id 1)")
ok 'it goes away by itself' test "$ttl" -gt 600000 -a "$ttl" -le 604800

redis_signal STOP
first=100 requests 200 | publish
wait_for 30 has_mails 203
first=300 requests 1 | publish
delivered 204
await_log ' event=redis state=away '
is "$(mail_count)" 204 'while Redis hangs mail is sent'
is "$(grep -c ' event=redis state=away ' "$TMP/log")" 1 'which is told once'
redis_signal CONT
mailout_stop
is "$mailout_status" 0 'a clean end'
is "$(sql "SELECT COUNT(*) FROM outbound WHERE status = 'sent'")" 204 'with everything recorded'
