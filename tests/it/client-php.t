#!/bin/sh
# A request published by PHP's php-amqplib is sent: examples/send.php.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/client.sh"
if [ ! -r /usr/share/php/PhpAmqpLib/autoload.php ] || [ ! -x /usr/bin/php ]; then skip_all 'php-amqplib is not installed'; fi
plan 7
client_sends "$TREE/examples/send.php"
