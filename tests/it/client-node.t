#!/bin/sh
# A request published by Node's amqplib, installed into a scratch folder, is sent: examples/send.js.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/client.sh"
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then skip_all 'node or npm is not installed'; fi
timeout 60 npm install --silent --no-audit --no-fund --prefix "$TMP" amqplib@0.10.4 > "$TMP/npm.log" 2>&1 ||
	skip_all "npm cannot install amqplib: $(tail -n 1 "$TMP/npm.log")"
plan 7
export NODE_PATH="$TMP/node_modules"
client_sends "$TREE/examples/send.js"
