#!/bin/sh
# An address that no route has is refused at RCPT time, whatever characters it is made of.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 9
use_pipeline
refused() {
	like "$(send --from unknown@example.net --subject "$TAG" "$1")" '^550 5\.1\.1 .*User unknown in virtual mailbox table' "refused: $1"
}
refused nobody@example.test
refused order-x@shop.example.test
refused 'sup_ort@example.test'
refused "x'or'1'='1@example.test"
refused '_upport@example.test'
refused '"supp\\ort"@example.test'
like "$(send --subject "$TAG" 'order-17@shop.example.test')" '^[A-Za-z0-9]+$' 'the regular expression: accepted'
like "$(send --subject "$TAG" someone@example.org)" '^554 5\.7\.1 .*Relay access denied' 'no open relay'
is "$(count_rows "sender = 'unknown@example.net'")" 0 'nothing of it is stored'
