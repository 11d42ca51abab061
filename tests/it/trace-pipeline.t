#!/bin/sh
# mailctl trace tells the life of a mail that went through the whole pipeline, whatever it is asked
# for by.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
. "$(dirname "$0")/../lib/trace.sh"
use_pipeline
trace_logs
plan 30

qid=$(send --from "ann-$TAG@example.net" --subject "$TAG 1" support@example.test help@example.test)
rows_become 2 "subject = '$TAG 1'" || diag 'not stored'
wait_for 60 grep -q "$qid: removed" "$POSTFIX_LOG"
id=$(sql "SELECT LOWER(HEX(id)) FROM messages WHERE subject = '$TAG 1' AND recipient = 'help@example.test'" |
	sed 's/\(........\)\(....\)\(....\)\(....\)/\1-\2-\3-\4-/')

trace "$qid"
is $? 0 'by queue id'
is "$(said '.Kind')" 'queue id' 'is told'
is "$(said '.Messages | length')" 2 'a mail to two addresses is two messages'
is "$(said '[.Messages[].State] | unique | join(",")')" stored 'both are stored'
is "$(said '[.Messages[].To] | sort | join(",")')" help@example.test,support@example.test 'each has its recipient'
is "$(said '[.Messages[].QueueIDs[]] | unique | join(",")')" "$qid" 'and the queue id'
is "$(said '.NotLookedAt | length')" 0 'everything was looked at'

trace "$id"
is $? 0 'by our id'
is "$(said '.Messages | length')" 1 'it is one message'
is "$(said '.Messages[0].To')" help@example.test 'the one of that id'
# Postfix has whole seconds: of what came first, the row or its word of the delivery, a second may begin in between.
is "$(said '[.Messages[0].Events[] | select(.Source != "log") | .Source + ":" + .Event] | join(" ")' |
	sed 's/database:stored postfix:sent/postfix:sent database:stored/')" \
	'postfix:received postfix:received postfix:queued database:taken postfix:sent database:stored postfix:removed' \
	'its life, in order of time'
is "$(said '[.Messages[0].Events[] | select(.Source == "log") | .Event] | join(" ")')" stored 'our log knows it, too'
is "$(said '[.Messages[0].Events[].Text | select(test("support@example.test"))] | length')" 0 \
	'nothing of the other recipient'
is "$(said '.Messages[0] | .MessageStream + " " + .Subject')" "support $TAG 1" 'route and subject'

header=$(said '.Messages[0].MessageIDHeader')
trace "<$header>"
is "$(said '.Kind + " " + ([.Messages[].MessageID] | length | tostring)')" 'Message-ID 2' 'by Message-ID'
trace "ANN-$TAG@Example.Net"
is "$(said '[.Messages[] | select(.State == "stored")] | length')" 2 "by the sender's address, in any case"
trace --limit=1 "ann-$TAG@example.net"
is "$(said '(.Messages | length | tostring) + " " + (.More | tostring)')" '1 true' '--limit'

# What Postfix refuses leaves a line without a queue id.
smtp --from "bob-$TAG@example.net" nobody@example.test > /dev/null
wait_for 60 grep -q "from=<bob-$TAG@example.net> to=<nobody@example.test>" "$POSTFIX_LOG"
trace "bob-$TAG@example.net"
is "$(said '.Messages[0].State')" refused 'a refused mail'
like "$(said '.Messages[0].Conclusion')" 'User unknown in virtual mailbox table' 'and why'

# A request, from the record to the local Postfix's last word.
out=$(echo 'Hello' | "$BUILD/bin/mailctl" -c "$CONFIG" send --to="eve-$TAG@example.net" --subject="$TAG out" --text=-)
sent() { [ "$(sql "SELECT status FROM outbound WHERE id = UNHEX(REPLACE('$out', '-', ''))")" = sent ]; }
wait_for 30 sent || diag 'not sent'
wait_for 60 grep -q "to=<eve-$TAG@example.net>, .*status=sent" "$POSTFIX_LOG"
trace "$out"
is "$(said '.Messages | length')" 1 'a request'
is "$(said '.Messages[0] | .Direction + " " + .State')" 'outbound sent' 'is sent'
like "$(said '.Messages[0].Conclusion')" "^sent; then Postfix handed it on: to eve-$TAG@example.net" 'and handed on'
is "$(said '.Messages[0].QueueIDs | length')" 1 'under a queue id'
relay=$(said '.Messages[0].QueueIDs[0]')
trace "$relay"
is "$(said '[.Messages[].MessageID] | join(" ")')" "$out" 'which leads back to the request'
trace "$out@example.test"
is "$(said '.Kind + ": " + .Messages[0].MessageID')" "address or Message-ID: $out" 'as does its Message-ID'
trace "eve-$TAG@example.net"
is "$(said '[.Messages[].MessageID] | join(" ")')" "$out" "and its recipient's address"

# For people.
text=$("$BUILD/bin/mailctl" -c "$CONFIG" trace --postfix-config="$POSTFIX_CONFIG" --log="$POSTFIX_LOG" "$id")
like "$text" "^  state       stored: stored at 20[0-9T:-]*Z, route support$" 'a line says what became of it'
like "$text" '^20.*Z +postfix +sent +to help@example.test by pipe mailpipe: 2.0.0 ' 'a line for each step'
trace 00000000-0000-4000-8000-000000000000
is $? 1 'what nobody knows'
is "$(said '.Messages | length')" 0 'is not found'
