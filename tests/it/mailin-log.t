#!/bin/sh
# One line per mail in the log.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
[ -z "$SANITIZED" ] || skip_all 'sanitizers do not like to be preloaded behind a shim'
plan 6
use_broker
printf 'Subject: x\n\nx\n' > "$TMP/mail"
logged() {
	: > "$SYSLOG"
	FAIL_SYSLOG=$SYSLOG LD_PRELOAD=$SHIM "$MAILIN" -c "$CONF" --queue-id "$QUEUE_ID" \
		--sender ann@example.org -- "$1" < "$TMP/mail" > /dev/null
	cat "$SYSLOG"
}
like "$(logged support@example.com)" \
	"^$QUEUE_ID [0-9a-f-]{36} event=published route=support from=ann@example.org to=support@example.com size=14 delay=[0-9]+\.[0-9]+\$" \
	'published'
is "$(wc -l < "$SYSLOG")" 1 'just one line'
like "$(logged nobody@example.com)" \
	"^$QUEUE_ID - event=rejected route=\"\" from=ann@example.org to=nobody@example.com size=0 delay=[0-9]+\.[0-9]+ status=5.1.1 reason=\"<nobody@example.com>: no such address here\"\$" \
	'rejected'
token=abcdefghijklmnopqrstuvw234
like "$(logged "support+$token@example.com")" ' to=support\+\.\.\.@example.com ' 'a token in the address is not told'
unlike "$(logged "nobody+$token@example.com")" "$token" 'nor that of an address that is not known'
echo wrong > "$TMP/password"
like "$(logged support@example.com)" "^$QUEUE_ID - event=deferred .* status=4\.[0-9]\.[0-9] reason=" 'deferred'
