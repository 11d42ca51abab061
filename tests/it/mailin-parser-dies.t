#!/bin/sh
# Whatever the mail does to the parser, it is published: envelope, raw mail and what happened.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
use_broker
own_parser
# limits PARSE_CPU PARSE_WALL
limits() {
	write_config <<END
[limits]
parse_cpu = $1
parse_wall = $2
parse_memory = 128M
message_size = 100K
body_bytes = 1K
header_bytes = 1K
END
}
limits 10s 20s

# dies FIRST-LINE DEFECT NAME
dies() {
	printf '%s\n\000\377 binary\n' "$1" > "$TMP/mail"
	mailin --queue-id "$QUEUE_ID" --client 192.0.2.1 --sender ann@example.org -- support+tag@example.com \
		< "$TMP/mail"
	is_result 0 '' "$3"
	take > "$TMP/document"
	is "$(jq -c .Mailpipe.Defects "$TMP/document")" "[\"$2\"]" "$3: the defect"
	jq -r .Mailpipe.Raw "$TMP/document" | base64 -d > "$TMP/raw"
	ok "$3: the raw mail" cmp "$TMP/raw" "$TMP/mail"
}
dies 'kill 11' 'parser killed by SIGSEGV' 'a crash'
dies 'kill 6' 'parser killed by SIGABRT' 'an abort'
dies 'kill 9' 'parser killed by SIGKILL' 'killed'
dies 'kill 31' 'parser killed by SIGSYS' 'a system call it must not make'
limits 300ms 2s
dies 'spin' 'parser exceeded its time' 'an endless loop'
dies 'sleep' 'parser exceeded its time' 'an endless wait'
limits 10s 20s
[ -n "$SANITIZED" ] ||
	dies 'memory' 'parser exceeded its memory' 'memory without end'
dies 'flood' 'parser exceeded its output' 'output without end'
dies 'garbage' 'parser wrote no document' 'garbage'
dies 'half' 'parser wrote no document' 'half a document'
dies 'nothing' 'parser wrote nothing' 'nothing at all'
dies 'exit 1' 'parser ended with status 1' 'another exit status'

is "$(jq -c '[.MessageStream, .OriginalRecipient, .MailboxHash, .From, .FromFull, .ToFull, .Subject, .Headers, .Attachments]' "$TMP/document")" \
	'["support","support+tag@example.com","tag","",{"Email":"","Name":"","MailboxHash":""},[],"",[],[]]' \
	'the document has every field'
is "$(jq -c '[.Mailpipe.Envelope.Sender, .Mailpipe.Auto]' "$TMP/document")" '["ann@example.org","no"]' \
	'and the envelope'
done_testing
