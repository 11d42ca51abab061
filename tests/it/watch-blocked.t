#!/bin/sh
# mailctl watch sees that the broker takes no messages, by a publish that nobody gets.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/watch.sh"
plan 8
own_sandbox --only broker,database
"$BUILD/bin/mailctl" -c "$CONFIG" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
watch_setup
ctl() { "$SANDBOX" broker "$SANDBOX_DIR" "$@"; }
amqp-declare-queue -u "$AMQP_URL" -q spy > /dev/null
ctl set_permissions -p "$AMQP_VHOST" "$AMQP_ADMIN_USER" '.*' '.*' '.*' > /dev/null
/usr/bin/python3 - "$AMQP_URL" <<-'END' || die 'no binding'
	import pika, sys
	channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
	channel.queue_bind("spy", "mail.events", "#")
END
state_of() { watch --once --quiet | sed -n 's/^\([a-z]*\) *broker-blocked: .*/\1/p'; }

is "$(state_of)" ok 'all is well'
watch_start
await_log 'event=trouble kind=consumers '
ctl set_vm_memory_high_watermark 0 > /dev/null
await_log 'event=trouble kind=broker-blocked '
like "$(grep broker-blocked "$TMP/log" | head -n 1)" 'reason="RabbitMQ( at [0-9.:]*)? takes no messages: low on memory"$' 'an alarm is seen'
is_told() { subjects_to ops@example.test | grep -q '^Critical: the broker takes no messages ('; }
ok 'and told' wait_for 60 is_told
rounds 5
is "$(ctl -q list_connections state | grep -c blocked)" 1 'one connection is kept, not one for each round'
is "$(grep -c 'kind=broker ' "$TMP/log")" 0 'the broker is not away'
ctl set_vm_memory_high_watermark 0.9 > /dev/null
await_log 'event=over kind=broker-blocked'
pass 'the end of the alarm is seen'
rounds 2
watch_stop
is "$watch_status" 0 'the watcher ends'
is "$(amqp-get -u "$AMQP_URL" -q spy 2> /dev/null)" '' 'nobody got a message'
