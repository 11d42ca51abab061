#!/bin/sh
# A requeue that is killed or interrupted loses nothing, and goes on when it is repeated.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/dead.sh"
use_sandbox --only broker,database
dead_setup
# shellcheck disable=SC2046
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/die.so" "$TREE/tests/it/shim/die.c" \
	$(pkg-config --cflags librabbitmq libmariadb) -ldl || die 'the shim does not compile'
# Sanitizers want to be loaded before a shim.
export ASAN_OPTIONS="verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"

# interrupt NUMBER-OF-SIGNAL: when 2,000 have been acknowledged; exit status in $status.
interrupt() {
	: > "$TMP/once"
	DIE_AT=ack DIE_CALL=2000 DIE_ONCE="$TMP/once" DIE_SIGNAL="$1" LD_PRELOAD="$TMP/die.so" \
		"$BUILD/bin/mailctl" --config "$TMP/conf" dead requeue --all > "$TMP/told" 2>&1
	status=$?
}
in_all() { [ $(($(waiting mail.dead) + $(waiting mail.in.support))) -ge 100000 ]; }

fill 100000 mail.in.support busy
interrupt 9
ok 'killed half-way' test "$status" -ne 0 -a "$(waiting mail.in.support)" -lt 100000
wait_for 30 in_all
ok 'each message is in one queue at least' in_all
before=$(waiting mail.in.support)
interrupt 2
is "$status" 130 'interrupted by Ctrl-C'
like "$(cat "$TMP/told")" '^mailctl: dead requeue: interrupted$' 'says so'
wait_for 30 in_all
told=$(sed -n 's/^\([0-9]*\) of .* requeued$/\1/p' "$TMP/told")
is "$(($(waiting mail.in.support) - before))" "$told" 'and has finished what was in hand'
ctl dead requeue --all > /dev/null
is "$?" 0 'repeated to its end'
await mail.dead 0
ok 'few of them are there twice' test "$(waiting mail.in.support)" -le 101100
is "$(dead_probe take mail.in.support | sort -u | wc -l)" 100000 'and all of them are'
done_testing
