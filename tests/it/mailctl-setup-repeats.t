#!/bin/sh
# mailctl setup, run twice, finds everything there and changes nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
plan 8
use_sandbox --only broker,database
mailctl_config
sql "DROP DATABASE $MYSQL_DATABASE"
MYSQL_NODB=$MYSQL_DATABASE

# Everything that setup may have changed, times apart.
state() {
	mariadb-dump --defaults-file="$MYSQL_ROOT_CNF" --skip-comments "$MYSQL_DATABASE"
	for role in ingest mailout web postfix; do
		sql "SHOW GRANTS FOR \`$USERS-$role\`@localhost" | sort
	done
}

migrations() {
	for file in "$TREE"/mailctl/migrations/*.sql; do
		basename "$file" .sql | sed 's/_/ /; s/.*/mysql: migration &: applied/'
	done
}
first=$(mailctl setup)
is $? 0 'the first run'
# How many rights there are, tests/it/mailctl-grants.t looks at.
is "$(echo "$first" | grep -v '^ok\|^errors' | sed 's/: [0-9]* granted/: N granted/')" "mysql: database $MYSQL_NODB: created
$(migrations)
mysql: addresses: 4 added, 0 changed, 0 removed, 0 already there
mysql: user $USERS-ingest@localhost: created
mysql: rights of '$USERS-ingest'@'localhost': N granted, 0 revoked
mysql: user $USERS-mailout@localhost: created
mysql: rights of '$USERS-mailout'@'localhost': N granted, 0 revoked
mysql: user $USERS-web@localhost: created
mysql: rights of '$USERS-web'@'localhost': N granted, 0 revoked
mysql: user $USERS-postfix@localhost: created
mysql: rights of '$USERS-postfix'@'localhost': N granted, 0 revoked
amqp: exchange mail.dead (topic): there
amqp: queue mail.dead (quorum): there
amqp: binding mail.dead -> mail.dead for #: there
amqp: exchange mail.in (topic): there
amqp: exchange mail.out (topic): there
amqp: exchange mail.events (topic): there
amqp: queue mail.in.support (quorum): there
amqp: binding mail.in -> mail.in.support for support: there
amqp: queue mail.in.inbox (quorum): there
amqp: binding mail.in -> mail.in.inbox for inbox: there
amqp: queue mail.in.orders (quorum): there
amqp: binding mail.in -> mail.in.orders for orders: there
amqp: queue mail.out.transactional (quorum): there
amqp: binding mail.out -> mail.out.transactional for transactional: there
amqp: queue mail.out.bulk (quorum): there
amqp: binding mail.out -> mail.out.bulk for bulk: there
amqp: exchange mail.retry.1m (fanout): there
amqp: queue mail.retry.1m (quorum): there
amqp: binding mail.retry.1m -> mail.retry.1m: there
amqp: exchange mail.retry.5m (fanout): there
amqp: queue mail.retry.5m (quorum): there
amqp: binding mail.retry.5m -> mail.retry.5m: there
amqp: exchange mail.retry.15m (fanout): there
amqp: queue mail.retry.15m (quorum): there
amqp: binding mail.retry.15m -> mail.retry.15m: there
amqp: exchange mail.retry.1h (fanout): there
amqp: queue mail.retry.1h (quorum): there
amqp: binding mail.retry.1h -> mail.retry.1h: there
amqp: exchange mail.retry.4h (fanout): there
amqp: queue mail.retry.4h (quorum): there
amqp: binding mail.retry.4h -> mail.retry.4h: there" 'tells each thing it made'
before=$(state)
second=$(mailctl setup)
is $? 0 'the second run'
is "$(echo "$second" | grep '^mysql' | grep -v 'already there$')" '' 'finds all of the database there'
is "$(echo "$second" | grep -c "^mysql")" "$(echo "$first" | grep -c "^mysql")" 'and tells so'
is "$(state)" "$before" 'and changed nothing'
is "$(echo "$first" | tail -n 1)" 'errors: 0, warnings: 0' 'no findings'

echo changed > "$SECRETS/web.pw"
like "$(mailctl setup --only=mysql)" "^mysql: user $USERS-web@localhost: password changed$" \
	'a new password is set'
