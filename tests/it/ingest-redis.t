#!/bin/sh
# Redis is told the state of each message after the COMMIT; away, hanging or refusing it harms none.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/redis.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 20
use_sandbox --only broker,database
ingest_setup
redis_configure
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/log"
sed -i 's/^\[redis\]/[redis]\ntimeout = 3s\nexpiry = 1h\nprefix = test:/' "$TMP/conf"
id() { printf '00000000-0000-8000-8000-%012d' "$1"; }
state() { redis_cli GET "test:$(id "$1")"; }

redis_start
documents --count 300 | publish
printf 'no JSON' | probe give support "$(id 301)"
ingest_start
stored 300
wait_for 30 state_is 301 failed
wait_for 30 state_is 300 stored
is "$(state 1 | jq -c 'del(.At)')" \
	"{\"MessageID\":\"$(id 1)\",\"Direction\":\"inbound\",\"Status\":\"stored\",\"MessageStream\":\"support\",\"Attempt\":1}" \
	'the state of a message that was stored'
like "$(state 1 | jq -r .At)" '^20[0-9]{2}-[0-9-]+T[0-9:]+\.[0-9]{3}Z$' 'with the time'
is "$(state 301 | jq -c 'del(.At)')" \
	"{\"MessageID\":\"$(id 301)\",\"Direction\":\"inbound\",\"Status\":\"failed\",\"MessageStream\":\"support\",\"Attempt\":3,\"Reason\":\"no JSON at byte 1 of 7: null expected\"}" \
	'of one that was given up'
is "$(redis_cli DBSIZE)" 301 'one key for each'
ttl=$(redis_cli TTL "test:$(id 1)")
ok 'which goes away by itself' test "$ttl" -gt 3000 -a "$ttl" -le 3600

# It is killed.
redis_kill
documents --first 302 --count 2 | publish
stored 302
is "$(rows)" 302 'without Redis messages are stored'
trace "$(id 302)"
is "$(said '.Messages[0].State') $(said '[.Messages[0].Events[] | select(.Source == "database") | .Event] | join(" ")')" \
	'stored taken stored' 'and trace tells so'
trace "$(id 301)"
is "$(said '.Messages[0] | .State + " " + .Queue')" 'dead mail.dead' 'and of one that was given up'
await_log ' event=redis state=away '
documents --first 304 --count 20 | publish
stored 322
is "$(grep -c ' event=redis state=away ' "$TMP/log")" 1 'which is told once'
like "$(grep ' event=redis state=away ' "$TMP/log")" "reason=\"$TMP/redis.sock: " 'with the reason'
redis_start
# It is tried again after a pause, when there is something to tell.
number=324
told_again() {
	documents --first "$number" | publish
	number=$((number + 1))
	logged ' event=redis state=back '
}
wait_for 60 told_again
is "$(grep -c ' event=redis state=back ' "$TMP/log")" 1 'when it is back, that is told once'
like "$(grep ' event=redis state=back ' "$TMP/log")" 'reason="[1-9][0-9]* states were not told"' 'with what it missed'
stored $((number - 2))
wait_for 30 state_is $((number - 1)) stored
is "$(state $((number - 1)) | jq -r .Status)" stored 'and it is told of the last message'

# It hangs.
redis_signal STOP
documents --first 1000 --count 300 | publish
wait_for 30 is_stored $((number - 2 + 300))
is "$(rows)" $((number - 2 + 300)) 'while it hangs messages are stored'
is "$(probe count mail.in.support)" 0 'and acknowledged'
await_log 'state=away .*no answer within redis.timeout'
is "$(grep -c ' event=redis state=away ' "$TMP/log")" 2 'it is left alone after its timeout'
redis_signal CONT

# It refuses.
ingest_stop
: > "$TMP/log"
redis_cli CONFIG SET requirepass secret > /dev/null
documents --first 2000 --count 2 | publish
ingest_start
stored $((number + 300))
await_log ' event=redis state=away '
like "$(cat "$TMP/log")" 'event=redis state=away .*NOAUTH Authentication required' 'its refusal is told'
ingest_stop
is "$ingest_status" 0 'a clean end'
is "$(rows)" $((number + 300)) 'with all of them stored'

# The password.
: > "$TMP/log"
echo secret > "$TMP/redis.pw"
sed -i "s|^\[redis\]|[redis]\npassword_file = $TMP/redis.pw|" "$TMP/conf"
documents --first 2002 | publish
ingest_start
stored $((number + 301))
ingest_stop
is "$(redis-cli -s "$TMP/redis.sock" -a secret --no-auth-warning GET "test:$(id 2002)" | jq -r .Status)" stored \
	'with its password it is told; what is left to tell is told at the end'
