#!/bin/sh
# A request published by Python's pika is sent: examples/send.py.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/client.sh"
/usr/bin/python3 -c 'import pika' 2> /dev/null || skip_all 'python3-pika is not installed'
plan 7
client_sends "$TREE/examples/send.py"
