#!/bin/sh
# Queues that an older version declared otherwise stop no setup: they are named, with what to do, and setup
# and check say the same.  The rows of an older version stay.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
use_sandbox --only broker,database
mailctl_config
delete_queue() { amqp-delete-queue -u "$AMQP_URL" -q "$1" > /dev/null; }

# An older mail.dead and tier had no delivery limit, and orders was no serial route.
mailctl setup --only=amqp > /dev/null || die 'setup'
admin() { "$SANDBOX" broker "$SANDBOX_DIR" "$@"; }
older() {
	delete_queue "$1"
	/usr/bin/python3 - "$AMQP_URL" "$@" <<-'END'
		import json, pika, sys
		url, queue, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
		connection = pika.BlockingConnection(pika.URLParameters(url))
		connection.channel().queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum", **arguments})
		connection.close()
	END
}
older mail.dead '{}'
older mail.retry.5m '{"x-message-ttl": 300000, "x-dead-letter-exchange": "", "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}'
sed -i 's/^\[route orders\]/&\nserial = yes/' "$CONF"
mailctl setup --only=mysql > /dev/null || die 'setup of the database'
delete_queue mail.retry.4h
amqp-publish -u "$AMQP_URL" -e mail.in -r support -b kept

found=$(mailctl setup)
is $? 1 'a route that has become serial is an error'
advice="empty it, rabbitmqctl delete_queue -p $AMQP_VHOST"
wanted="warning  amqp queue mail.dead: was declared otherwise, by an older version or with another config: its x-delivery-limit \
is none, and should be 1000000000; mail flows all the same; when there is time, $advice mail.dead, mailctl setup: see UPGRADING in mailctl(1)
error    amqp queue mail.in.orders: was declared otherwise, by an older version or with another config: its x-single-active-consumer \
is none, and should be true; $advice mail.in.orders, mailctl setup: see UPGRADING in mailctl(1)
warning  amqp queue mail.retry.5m: was declared otherwise, by an older version or with another config: its x-delivery-limit \
is none, and should be 1000000000; mail flows all the same; when there is time, $advice mail.retry.5m, mailctl setup: see UPGRADING in mailctl(1)"
is "$(echo "$found" | grep -E '^(error|warning) ')" "$wanted" 'each queue is named, with what to do'
like "$found" '^amqp: queue mail.retry.4h \(quorum\): there$' 'and those behind them are made'
is "$(mailctl check | grep ' was declared otherwise')" "$wanted" 'check says the same'
is "$(amqp-get -u "$AMQP_URL" -q mail.in.support)" kept 'what was in a queue is still there'

# As the manual says.
for queue in mail.dead mail.in.orders mail.retry.5m; do
	admin delete_queue -p "$AMQP_VHOST" $queue > /dev/null || die "delete_queue $queue"
done
mailctl setup > /dev/null
is $? 0 "deleted, they are made anew"
unlike "$(mailctl check)" 'was declared otherwise' 'and check is content'
done_testing
