#!/bin/sh
# A mail by SMTP becomes one row, with its envelope.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 4
use_pipeline
id=$(send --from alice@example.net --subject "$TAG" --body 'Hello.
' support+blue@example.test)
ok 'stored' rows_become 1 "queue_id = '$id'"
is "$(sql "SELECT route, recipient, mailbox_hash, sender, client_address, helo, subject, text_body
	FROM messages WHERE queue_id = '$id'")" \
	"support	support+blue@example.test	blue	alice@example.net	127.0.0.1	client.example.net	$TAG	Hello." \
	'with its envelope and its text'
postfix_says "$id" 'relay=mailpipe, .*dsn=2\.0\.0, status=sent' 'Postfix calls it sent'
is "$(sql "SELECT JSON_UNQUOTE(JSON_EXTRACT(headers, '\$[0].Name')) FROM messages WHERE queue_id = '$id'")" \
	Return-Path 'the headers begin with what pipe(8) adds'
