#!/bin/sh
# A broker under a memory alarm answers questions but takes no messages: mailctl status says so, in time.
. "$(dirname "$0")/../lib/tap.sh"
plan 4
own_sandbox --only broker,database
"$BUILD/bin/mailctl" --config "$CONFIG" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
# shellcheck disable=SC2016
at_exit '"$SANDBOX" broker "$SANDBOX_DIR" set_vm_memory_high_watermark 0.4 > /dev/null'

status() {
	timeout 60 "$BUILD/bin/mailctl" --config "$CONFIG" status --json > "$TMP/json"
	jq -c '[.Broker.Up, .Broker.Blocked, (.Broker.Reason // "")]' "$TMP/json"
}

is "$(status)" '[true,null,""]' 'all is well'
"$SANDBOX" broker "$SANDBOX_DIR" set_vm_memory_high_watermark 0 > /dev/null
is "$(status)" '[true,true,"it takes no messages: low on memory"]' 'the alarm is told'
is "$(jq '[.Routes[].Waiting] | add' "$TMP/json")" 0 'the queues, too'
"$SANDBOX" broker "$SANDBOX_DIR" set_vm_memory_high_watermark 0.4 > /dev/null
over() { [ "$(status)" = '[true,null,""]' ]; }
ok 'its end is told' wait_for 30 over
