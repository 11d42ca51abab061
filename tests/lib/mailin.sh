# shellcheck shell=sh disable=SC2034
# For tests of mailin, after tap.sh.
#
#	use_broker			a virtual host with the topology of $CONF, which has the route
#					"support" for support@example.com
#	mailin ARGUMENT ... < mail	as pipe(8) runs it, with -c $CONF: sets STATUS and OUT
#	deliver < mail			the same with a usual envelope
#	own_parser			from now on with tests/it/mailin_parser.c instead of the real one

PROBE=$BUILD/tests/it/mailin_probe
MAILIN=$BUILD/sbin/mailin
CONF=$TMP/mailpipe.conf
SYSLOG=$TMP/syslog
# Sanitizers refuse to be loaded behind a shim, and need memory without limit.
SANITIZED=
SHIM=$BUILD/tests/fail.so
case $BUILD in *-san*)
	SANITIZED=1
	SHIM=
	;;
esac
QUEUE_ID=4bKxYJ5sG9z1Wk2

# Sections given on standard input come last and may repeat what stands before.
write_config() {
	printf '%s' "${AMQP_PUBLISH_PASSWORD-none}" > "$TMP/password"
	{
		echo "[amqp]"
		echo "hosts = ${AMQP_HOST-127.0.0.1}:${AMQP_PORT-1}"
		echo "vhost = ${AMQP_VHOST-/}"
		echo "publish_user = ${AMQP_PUBLISH_USER-none}"
		echo "publish_password_file = $TMP/password"
		echo "[log]"
		echo "target = syslog"
		echo "[route support]"
		echo "recipients = support@example.com"
		cat
	} > "$CONF"
}

use_broker() {
	use_sandbox --only broker
	write_config < /dev/null
	"$PROBE" declare "$CONF" || die "the topology cannot be declared"
}

mailin() {
	OUT=$("$MAILIN" -c "$CONF" "$@" 2> "$TMP/errors")
	STATUS=$?
}

deliver() {
	mailin --queue-id "$QUEUE_ID" --client 192.0.2.1 --sender ann@example.org -- support@example.com
}

# A copy of the program whose parser does what the mail's first line says.
own_parser() {
	mkdir -p "$TMP/tree/sbin" "$TMP/tree/libexec/mailpipe"
	cp "$BUILD/sbin/mailin" "$TMP/tree/sbin/"
	cp "$BUILD/tests/it/mailin_parser" "$TMP/tree/libexec/mailpipe/mailin-parse"
	MAILIN=$TMP/tree/sbin/mailin
}

# is_result STATUS TEXT NAME: exact exit status and output.
is_result() {
	is "$STATUS: $OUT" "$1: $2" "$3"
	is "$(cat "$TMP/errors")" "" "$3: nothing on standard error"
}

waiting() { "$PROBE" count mail.in.support; }

# The document of the next message of the queue.
take() { "$PROBE" take mail.in.support 1 | tail -n 1; }
