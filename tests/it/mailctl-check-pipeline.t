#!/bin/sh
# A pipeline that was set up as the README says has nothing that mailctl check would complain of.
. "$(dirname "$0")/../lib/tap.sh"
plan 3
if [ -n "${MAILPIPE_SANDBOX-}" ] && [ -e "$MAILPIPE_SANDBOX/postfix" ]; then
	SANDBOX_DIR=$MAILPIPE_SANDBOX
else
	own_sandbox
fi
found=$("$BUILD/bin/mailctl" -c "$SANDBOX_DIR/etc/mailpipe/mailpipe.conf" check \
	--postfix-config="$SANDBOX_DIR/postfix/etc")
is $? 0 'mailctl check'
# Other tests may have left dead letters there, and mail goes out only where mailout is installed.
# Its closed routes have no addresses, and nobody's Authentication-Results are believed.
expected='^(ok |errors: )|amqp queue mail.dead: |^warning  route (members|friends): require = (token|registered), |^warning  route (desk|gallery): no Authentication-Results are believed: '
[ -e "$SANDBOX_DIR/usr/sbin/mailout" ] || expected="$expected|start mailout$"
is "$(echo "$found" | grep -Ev "$expected")" '' 'finds neither errors nor warnings'
like "$found" '^ok       postfix: master.cf has the service mailpipe$' 'and has looked at Postfix, too'
