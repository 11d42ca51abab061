# shellcheck shell=sh disable=SC2034
# A Redis of the test's own, on a socket; after tap.sh:
#
#	redis_configure		[redis] of $TMP/conf
#	redis_start		start it and wait until it answers
#	redis_cli GET key
#	state ID		the members Direction, Status ... of a message's state, as JSON
#	redis_signal STOP	to its process

redis_pid=

redis_configure() {
	printf '\n[redis]\nsocket = %s\n' "$TMP/redis.sock" >> "$TMP/conf"
	at_exit redis_kill
}

redis_cli() { redis-cli -s "$TMP/redis.sock" "$@"; }

redis_answers() { [ "$(redis_cli PING)" = PONG ]; }

redis_start() {
	redis-server --port 0 --unixsocket "$TMP/redis.sock" --unixsocketperm 777 --save '' \
		--dir "$TMP" "$@" > "$TMP/redis.log" 2>&1 &
	redis_pid=$!
	wait_for 30 redis_answers || die "redis-server: $(cat "$TMP/redis.log")"
}

redis_signal() { kill "-$1" "$redis_pid"; }

redis_kill() {
	[ -z "$redis_pid" ] && return
	kill -KILL "$redis_pid" 2> /dev/null
	wait "$redis_pid" 2> /dev/null
	redis_pid=
}

state() { redis_cli GET "mailpipe:$1"; }

# state_is ID STATUS: what Redis says of it.
state_is() { [ "$(state "$1" | jq -r .Status)" = "$2" ]; }
