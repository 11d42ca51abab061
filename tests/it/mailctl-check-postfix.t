#!/bin/sh
# mailctl check compares Postfix's settings with ours.
. "$(dirname "$0")/../lib/tap.sh"
CONF=$TMP/mailpipe.conf
POSTFIX=$TMP/postfix
mkdir "$POSTFIX"
printf '[limits]\nmessage_size = 20M\n[route a]\nrecipients = a@example.test\n' > "$CONF"

# check [NAME=VALUE ...]: what check says of a Postfix that is as mailpipe-postfix leaves it, but for that.
check() {
	cat > "$POSTFIX/main.cf" <<-END
		compatibility_level = 3.6
		enable_long_queue_ids = yes
		mailpipe_destination_recipient_limit = 1
		virtual_mailbox_maps = proxy:mysql:\$config_directory/mailpipe/recipients.cf
		recipient_delimiter = +
		message_size_limit = 20000000
		mailbox_size_limit = 0
		virtual_mailbox_limit = 0
		smtpd_forbid_bare_newline = normalize
	END
	for setting in "$@"; do
		echo "$setting" >> "$POSTFIX/main.cf"	# the last one counts
	done
	touch -d '1 minute ago' "$POSTFIX/main.cf"	# Postfix waits for a file that is new to settle
	"$BUILD/bin/mailctl" -c "$CONF" check --postfix-config="$POSTFIX" 2> /dev/null | grep ' postfix: '
}

is "$("$BUILD/bin/mailctl" -c "$CONF" check --postfix-config="$TMP/none" | grep -c '^error    postfix: postconf: .*none')" 1 \
	'no such directory'
: > "$POSTFIX/master.cf"
is "$(check)" 'warning  postfix: master.cf has no service mailpipe: no mail comes this way; run postfix/mailpipe-postfix' \
	'no such service'
cat > "$POSTFIX/master.cf" <<'END'
mailpipe unix - n n - 10 pipe
	flags=DORX user=nobody argv=/usr/sbin/mailin -- ${recipient}
END
is "$(check)" 'ok       postfix: master.cf has the service mailpipe
ok       postfix: message_size_limit fits limits.message_size
ok       postfix: recipient_delimiter is ours, too
ok       postfix: queue ids are long' 'all is well'
like "$(check message_size_limit=30000000)" \
	'^warning  postfix: message_size_limit \(30000000\) is above limits.message_size \(20971520\): mails in between are accepted first and bounced then; ' \
	'message_size_limit'
like "$(check message_size_limit=0)" '^warning  postfix: message_size_limit \(0\) is above' 'none at all'
like "$(check mailbox_size_limit=1000)" '^warning  postfix: mailbox_size_limit \(1000\) is below message_size_limit: ' 'mailbox_size_limit'
like "$(check virtual_mailbox_limit=1000)" '^warning  postfix: virtual_mailbox_limit \(1000\) is below' 'virtual_mailbox_limit'
like "$(check recipient_delimiter=-)" '^error    postfix: recipient_delimiter is "-", but mailpipe.recipient_delimiter is "\+": ' 'recipient_delimiter'
like "$(check enable_long_queue_ids=no)" '^error    postfix: enable_long_queue_ids is not yes: ' 'short queue ids'
like "$(check smtpd_forbid_bare_newline=no)" '^warning  postfix: smtpd_forbid_bare_newline is no: SMTP smuggling' 'SMTP smuggling'
like "$(check command_time_limit=1m)" '^error    postfix: the time limit of the service mailpipe is not above limits.deadline: ' 'command_time_limit'
like "$(check command_time_limit=30s mailpipe_time_limit=2h)" '^ok       postfix: queue ids' 'the service has its own'
unlike "$(check command_time_limit=30s mailpipe_time_limit=2h)" '^error' 'which counts'
like "$(check mailpipe_time_limit=60s)" '^error    postfix: the time limit' 'and may be wrong, too'
like "$(check mailpipe_destination_recipient_limit=50)" '^error    postfix: mailpipe_destination_recipient_limit is not 1: ' 'several recipients'
like "$(check virtual_mailbox_maps=hash:/etc/x)" '^warning  postfix: virtual_mailbox_maps does not ask the view recipients: ' 'no recipient map'
mkdir "$POSTFIX/mailpipe"
cp "$TREE/postfix/recipients.cf" "$POSTFIX/mailpipe"
unlike "$(check)" '^(error|warning)' 'a map of this version'
sed -i '/recipient_tokens/d' "$POSTFIX/mailpipe/recipients.cf"
is "$(check | grep '^error')" "error    postfix: $POSTFIX/mailpipe/recipients.cf is of an older version, without recipient_tokens: \
mail to registered addresses, tokens and reply addresses is refused; run postfix/mailpipe-postfix again" 'one of an older version'
done_testing
