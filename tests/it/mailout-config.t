#!/bin/sh
# A config that cannot work ends mailout at once with 78 and the reason.
. "$(dirname "$0")/../lib/tap.sh"
mailout=$BUILD/sbin/mailout
plan 7
conf() { printf '%s\n' "$@" > "$TMP/conf"; }

conf '[mailout]' 'recrod = required'
out=$("$mailout" -c "$TMP/conf" 2>&1)
is $? 78 'an unknown key: exit status'
like "$out" "^mailout: $TMP/conf:2: .*recrod" 'and where it is'
conf '[amqp]' 'mailout_password_file = /nowhere/secret'
out=$("$mailout" -c "$TMP/conf" 2>&1)
is $? 78 'no password file: exit status'
like "$out" '^mailout: amqp.mailout_password_file: /nowhere/secret: No such file or directory$' 'and which'
conf '[smtp]' 'user = me' 'password_file = /nowhere/smtp'
"$mailout" -c "$TMP/conf" 2> "$TMP/out"
is $? 78 'no password for SMTP: exit status'
out=$("$mailout" -c /nowhere/conf 2>&1)
is $? 78 'no config: exit status'
out=$("$mailout" nonsense 2>&1)
is $? 64 'a wrong command line: exit status'
