#!/bin/sh
# A tenant of the sandbox has a virtual host and a database that nobody else sees.
. "$(dirname "$0")/../lib/tap.sh"
plan 3
use_sandbox --only broker,database
is "$(sql 'SELECT DATABASE()')" "$MYSQL_DATABASE" 'its own database'
amqp-declare-queue -u "$AMQP_URL" -q tenant > /dev/null
echo there | amqp-publish -u "$AMQP_URL" -r tenant
is "$(amqp-get -u "$AMQP_URL" -q tenant)" there 'its own virtual host'
is "$(amqp-get -u "amqp://$AMQP_ADMIN_USER:$AMQP_ADMIN_PASSWORD@$AMQP_HOST:$AMQP_PORT/%2f" -q tenant 2>&1)" \
	"basic.get: server channel error 404, message: NOT_FOUND - no queue 'tenant' in vhost '/'" \
	'which the main virtual host does not show'
