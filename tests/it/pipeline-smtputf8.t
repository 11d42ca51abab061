#!/bin/sh
# Internationalised addresses (RFC 6531) arrive as UTF-8, and an unknown one is refused.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 6
use_pipeline
id=$(send --smtputf8 --from 'jörg@example.net' --subject "$TAG" 'grüße@example.test')
ok 'stored' rows_become 1 "queue_id = '$id'"
is "$(sql "SELECT route, recipient, sender FROM messages WHERE queue_id = '$id'")" \
	'greetings	grüße@example.test	jörg@example.net' 'both addresses are whole'
like "$(send --smtputf8 --subject "$TAG" 'größe@example.test')" '^550 5\.1\.1 ' 'another one is unknown'
# What Postfix took, mailin would have to return, to whomever the envelope names.
like "$(send --smtputf8 --subject "$TAG" 'süpport@example.test')" '^550 5\.1\.1 ' 'one with an accent that is not ours'
like "$(send --smtputf8 --subject "$TAG" 'ｓupport@example.test')" '^550 5\.1\.1 ' 'one that looks like ours'
like "$(send --smtputf8 --subject "$TAG" 'gruße@example.test')" '^550 5\.1\.1 ' 'one that lacks the accent'
