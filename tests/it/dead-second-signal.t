#!/bin/sh
# A first Ctrl-C lets mailctl dead requeue finish what is in hand, and with a broker that hangs it waits for it; a
# second one ends it at once.  Nothing is lost.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/dead.sh"
own_sandbox --only broker,database
dead_setup
# shellcheck disable=SC2046
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/die.so" "$TREE/tests/it/shim/die.c" \
	$(pkg-config --cflags librabbitmq libmariadb) -ldl || die 'the shim does not compile'
# Sanitizers want to be loaded before a shim.
export ASAN_OPTIONS="verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
STOP=19
session=$(cat "$SANDBOX_DIR/run/broker.pid")
# shellcheck disable=SC2046
broker() { kill "-$1" $(ps -o pid= --sid "$session"); }
at_exit 'broker CONT'
state() { sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$pid/status" 2> /dev/null; }
is_stopped() { [ "$(state)" = T ]; }
has_ended() { [ -z "$(state)" ] || [ "$(state)" = Z ]; }
# The signals of a kind count as one until the process has seen the first.
second() {
	kill -INT "$pid" 2> /dev/null
	has_ended
}

fill 5000 mail.in.support busy
# It stops itself with messages in hand; then the broker is stopped, and it goes on into a wait for it.
: > "$TMP/once"
DIE_AT=ack DIE_CALL=2000 DIE_ONCE="$TMP/once" DIE_SIGNAL=$STOP LD_PRELOAD="$TMP/die.so" \
	"$BUILD/bin/mailctl" --config "$TMP/conf" dead requeue --all > "$TMP/told" 2>&1 &
pid=$!
wait_for 30 is_stopped || diag "$(state) $(cat "$TMP/told")"
broker STOP
kill -CONT "$pid"
ok 'it ends while the broker hangs' wait_for 30 second
wait "$pid"
is "$? $(cat "$TMP/told")" '130 ' 'at once, as interrupted'
broker CONT
in_all() { [ $(($(waiting mail.dead) + $(waiting mail.in.support))) -ge 5000 ]; }
wait_for 30 in_all
is "$({ numbers mail.dead; numbers mail.in.support; } | sort -n | uniq | wc -l)" 5000 'each message is in one queue at least'
ctl dead requeue --all > /dev/null
is "$? $(waiting mail.dead) $(numbers mail.in.support | sort -n | uniq | wc -l)" '0 0 5000' 'repeated to its end'
done_testing
