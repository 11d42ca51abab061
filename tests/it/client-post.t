#!/bin/sh
# A front end posts without the database and shows what becomes of it: examples/post.py.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/redis.sh"
/usr/bin/python3 -c 'import pika, pymysql, redis' 2> /dev/null || skip_all 'a Python module is not installed'
plan 10
use_sandbox --only broker,database
ingest_setup
redis_configure
redis_start
sql "CREATE USER web$$@localhost IDENTIFIED BY 'a/b'; GRANT SELECT ON $MYSQL_DATABASE.* TO web$$@localhost"
at_exit "sql 'DROP USER web$$@localhost'"
post() {
	"$TREE/examples/post.py" \
		"amqp://$AMQP_APPLICATION_USER:$AMQP_APPLICATION_PASSWORD@$AMQP_HOST:$AMQP_PORT/$AMQP_VHOST" \
		"unix://$TMP/redis.sock" \
		"mysql://web$$:a%2Fb@localhost/$MYSQL_DATABASE?unix_socket=$MYSQL_SOCKET" "$@" 2> "$TMP/error"
}

out=$(post support 'Grüße aus Wien' 0)
is "$?" 0 'posted while nobody stores it'
id=$(echo "$out" | head -n 1)
like "$id" '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' 'with an id in the order of time'
is "$(echo "$out" | tail -n +2)" 'redis: queued
database: not known' 'it waits'
ingest_start
stored 1
is "$(sql "SELECT LOWER(HEX(id)), route, from_email, subject, text_body FROM messages")" \
	"$(echo "$id" | tr -d -)	support	ann@example.net	A post	Grüße aus Wien" 'then it is stored'
wait_for 30 state_is "$id" stored
is "$(state "$id" | jq -r .Status)" stored 'and Redis says so'
is "$(post support 'another one' 30 | tail -n 1)" 'database: stored' 'another one is stored at once'

out=$(post support "$(printf '%0120000d' 0)" 30)
is "$(echo "$out" | tail -n 1)" 'database: stored' 'a long one, too'
out=$(post no-such-route 'x' 2)
is "$?" 1 'a route that is not there is an error'

redis_kill
out=$(post support 'without Redis' 0)
is "$?" 0 'without Redis a post goes its way'
stored 4
is "$(rows)" 4 'and is stored'
ingest_stop
