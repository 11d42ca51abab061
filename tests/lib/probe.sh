# shellcheck shell=sh
# For tests of the broker module: runs broker_probe against the sandbox's broker, as the administrator
# unless the test says otherwise.
#
#	probe open confirm 'publish x k hello'		one line of answer for each command
#	PROBE_USER=mailin probe open

probe() {
	printf '%s\n' "$@" |
		PROBE_HOSTS=${PROBE_HOSTS-$AMQP_HOST:$AMQP_PORT} PROBE_VHOST=${PROBE_VHOST-$AMQP_VHOST} \
			PROBE_USER=${PROBE_USER-$AMQP_ADMIN_USER} \
			PROBE_PASSWORD=${PROBE_PASSWORD-$AMQP_ADMIN_PASSWORD} \
			"$BUILD/tests/it/broker_probe"
}

# at_most MILLISECONDS TEXT NAME: the last line of a "timed" command.
at_most() {
	tap_took=$(printf '%s\n' "$2" | sed -n 's/^\([0-9]*\) ms$/\1/p' | tail -n 1)
	if [ "${tap_took:-$(($1 + 1))}" -le "$1" ]; then pass "$3"; else
		fail "$3"
		diag "took ${tap_took:-no time at all} ms, wanted at most $1 ms: $2"
	fi
}

at_least() {
	tap_took=$(printf '%s\n' "$2" | sed -n 's/^\([0-9]*\) ms$/\1/p' | tail -n 1)
	if [ "${tap_took:-0}" -ge "$1" ]; then pass "$3"; else
		fail "$3"
		diag "took ${tap_took:-no time at all} ms, wanted at least $1 ms: $2"
	fi
}

# A broker that accepts connections and never says a word, on a free port: its pid and port.
silent_server() {
	python3 -c '
import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(8)
print(s.getsockname()[1], flush=True)
time.sleep(3600)' > "$TMP/silent" &
	silent_pid=$!
	at_exit "kill $silent_pid"
	wait_for 30 test -s "$TMP/silent" || die "the silent server does not start"
	# shellcheck disable=SC2034 # for the tests
	silent_port=$(cat "$TMP/silent")
}
