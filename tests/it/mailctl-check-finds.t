#!/bin/sh
# mailctl check finds each thing that is wrong, says what to do, and exits 1 for an error.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
use_sandbox --only broker,database
mailctl_config
cp "$CONF" "$TMP/good.conf"
mailctl setup > /dev/null || die 'setup'

# check_finds NAME LINE: with the config as it is now; then the good config is back.
check_finds() {
	found=$(mailctl check)
	is $? 1 "$1"
	like "$found" "$2" "$1: the line"
	cp "$TMP/good.conf" "$CONF"
}
set_key() { sed -i "s|^$1 = .*|$1 = $2|" "$CONF"; }
add() { sed -i "s|^\[$1\]|[$1]\n$2|" "$CONF"; }

out=$(mailctl check)
is $? 0 'a good installation'
is "$(echo "$out" | grep -c '^error ')" 0 'has no error'
like "$out" '^ok       mysql addresses: all 4 patterns of the routes are there$' 'but many things that are right'

add mysql 'timeout = 60s'
check_finds 'time-outs' '^error    config times: mysql.timeout is not less than amqp.heartbeat: .*; lower mysql.timeout or raise amqp.heartbeat$'
sed -i '/^\[route support\]/i [limits]\nparse_wall = 60s' "$CONF"
check_finds 'the parser has longer than mailin' '^error    config times: limits.parse_wall is not less than limits.deadline'
set_key web_password_file /nowhere
check_finds 'no password file' '^error    config: mysql.web_password_file: /nowhere: No such file or directory; write the password into its first line$'
: > "$TMP/empty.pw"
set_key web_password_file "$TMP/empty.pw"
check_finds 'empty password file' "^error    config: mysql.web_password_file: $TMP/empty.pw: its first line is empty; "
chmod 644 "$SECRETS/web.pw"
like "$(mailctl check)" "^warning  config: mysql.web_password_file: $SECRETS/web.pw: everybody can read it; chmod o-rw$" \
	'a readable password file is a warning'
chmod 600 "$SECRETS/web.pw"

echo wrong-secret > "$TMP/wrong.pw"
chmod 600 "$TMP/wrong.pw"
set_key ingest_password_file "$TMP/wrong.pw"
check_finds 'wrong password of the database' "^error    mysql user $USERS-ingest: .*database error 1045: Access denied for user '$USERS-ingest'@'localhost'"
unlike "$found" 'wrong-secret' 'which is not shown'
set_key consume_password_file "$TMP/wrong.pw"
check_finds 'wrong password of the broker' "^error    amqp user $AMQP_CONSUME_USER: .*ACCESS_REFUSED"
unlike "$found" 'wrong-secret' 'which is not shown either'
set_key socket /nowhere
check_finds 'no database' "^error    mysql user $USERS-ingest: /nowhere: database error 2002: "
set_key hosts 127.0.0.1:1
check_finds 'no broker' "^error    amqp user $AMQP_PUBLISH_USER: .*127.0.0.1:1.*[Cc]onnection refused"
set_key database none_such
check_finds 'no such database' '^error    mysql user .*database error (1044|1049)'
set_key vhost none_such
check_finds 'no such virtual host' '^error    amqp user .*none_such'

printf '[route new]\nrecipients = new@example.test\n' >> "$CONF"
check_finds 'a route that is not set up' '^error    amqp queue mail.in.new: .*NOT_FOUND.*; run mailctl setup$'
like "$found" '^error    mysql addresses: Postfix would refuse mail for 1 of 5 patterns' 'nor are its addresses'

sed -i '/^\[route support\]/i [limits]\nmessage_size = 200M' "$CONF"
check_finds 'the database takes less than a mail may have' '^error    mysql server: max_allowed_packet is 128.0 MiB, but an attachment or body may have 200.0 MiB: .*; set max_allowed_packet above 200.0 MiB'
sed -i '/^\[route support\]/i [limits]\nmessage_size = 100M' "$CONF"
like "$(mailctl check)" '^warning  amqp max_message_size: 128.0 MiB unless it was changed, but a mail of limits.message_size can make a document of 145' \
	'the broker takes less than a document may have'
cp "$TMP/good.conf" "$CONF"

# check_warns NAME LINE: the same of what is no error.
check_warns() {
	found=$(mailctl check)
	is $? 0 "$1"
	like "$found" "^warning  $2" "$1: the line"
	cp "$TMP/good.conf" "$CONF"
}
in_support() { sed -i "s|^\[route support\]|&\n$1|" "$CONF"; }
unlike "$out" '^warning  route' 'routes without demands need nothing'
in_support 'require = dmarc'
check_warns 'nothing is believed' 'route support: require = dmarc, but no Authentication-Results are believed: all mail goes into quarantine unless its client has logged in; set mailpipe.authserv_ids$'
in_support 'target = support'
sed -i "1i [ingest]\ntargets = $TREE/mailin/targets" "$CONF"
check_warns 'nobody gets an acknowledgement' 'route support: no Authentication-Results are believed: only posters whose client has logged in get an acknowledgement; set mailpipe.authserv_ids, or acknowledge = no$'
in_support 'target = support\nacknowledge = no'
unlike "$(mailctl check)" '^warning  route' 'nobody wants one'
cp "$TMP/good.conf" "$CONF"
in_support 'require = spf-or-dkim\nunverified = refuse'
sed -i '1i [mailpipe]\nauthserv_ids = mx.example.test' "$CONF"
unlike "$(mailctl check)" '^warning  route' 'with one that is believed it is fine'
sed -i 's|^authserv_ids.*|authserv_ids = mx.example.test;|' "$CONF"
check_finds 'an authserv-id with its semicolon' '^error    config mailpipe.authserv_ids: mx.example.test;: matches nothing; write the first word of '
in_support 'require = token'
check_warns 'a closed route that is empty' 'route support: require = token, and no address is registered: Postfix refuses all mail to it; register one with mailctl address add$'
in_support 'require = token'
mailctl address add --token --valid-for=1d support@example.test > /dev/null
unlike "$(mailctl check)" '^warning  route' 'with an address it is fine'
sql 'UPDATE registered_addresses SET valid_until = UTC_TIMESTAMP(3)'
check_warns 'one that has expired is none' 'route support: require = token, and no address is registered'
in_support 'thread_by_subject = yes'
check_warns 'numbers in subjects' 'route support: thread_by_subject without require: whoever forges .*; set require$'
in_support 'inline_side = 0'
check_warns 'what only galleries heed' 'route support: inline_side counts for galleries alone, and the target is inbox; remove it, or set target = gallery$'

sql 'DROP VIEW recipients'
check_finds 'a view is missing' "^error    mysql addresses: .*database error (1142|1146|1356)"
sql 'DELETE FROM schema_migrations'
check_finds 'a migration is missing' '^error    mysql migrations: ([0-9]+) of \1 are missing; run mailctl setup$'
mailctl setup > /dev/null
sql 'ALTER TABLE attachments DEFAULT CHARACTER SET latin1'
check_finds 'a table is not utf8mb4' '^error    mysql server: not utf8mb4 or not InnoDB: attachments; '
sql 'ALTER TABLE attachments DEFAULT CHARACTER SET utf8mb4'

amqp-publish -u "$AMQP_URL" -e mail.dead -r mail.in.support -b x
like "$(mailctl check)" '^warning  amqp queue mail.dead: 1 dead letter; mailctl dead list says why$' 'dead letters are a warning'
amqp-delete-queue -u "$AMQP_URL" -q mail.in.inbox > /dev/null
check_finds 'a queue is missing' '^error    amqp queue mail.in.inbox: .*NOT_FOUND'

mailctl check --json > "$TMP/json"
is $? 1 'as JSON'
is "$(jq -r '.Errors, (.Findings[] | select(.Level == "error") | .Subject)' "$TMP/json" | tr '\n' ' ')" \
	'1 amqp queue mail.in.inbox ' 'the same'
done_testing
