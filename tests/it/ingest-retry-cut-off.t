#!/bin/sh
# Between publishing to a tier and the ack the worker is killed, or the broker: nothing is lost, and the copy
# that comes twice is stored once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/trace.sh"
# Sanitizers do not like to be preloaded behind a shim.
nm -D "$BUILD/sbin/mailin-ingest" | grep -q __asan_init && skip_all 'built with sanitizers'
plan 16
own_sandbox --only broker,database
ingest_setup
ingest_set batch_count 10
sed -i 's/^tiers = .*/tiers = 1s 2s/' "$TMP/conf"
printf '\n[notify]\nenabled = no\n' >> "$TMP/conf"
"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
# shellcheck disable=SC2046
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/die.so" "$TREE/tests/it/shim/die.c" \
	$(pkg-config --cflags librabbitmq libmariadb) -ldl || die 'the shim does not compile'
chmod 755 "$TMP/die.so"
trace_config=$TMP/conf
trace_no_postfix
trace_args="--log=$TMP/log"
now() { date -u +%Y-%m-%dT%H:%M:%S.000Z; }
many() { documents "$@" --set "Mailpipe.ReceivedAt=\"$(now)\"" | publish; }
settled() {
	[ "$(probe count mail.in.support)$(probe count mail.retry.1s)$(probe count mail.retry.2s)" = 000 ] &&
		[ "$(rows)" = "$1" ]
}

# cut_off NAME AWAY: at the first ack after the database went away
cut_off() {
	sql 'DELETE FROM messages; DELETE FROM blobs'
	: > "$TMP/log"
	export DIE_AT=ack DIE_ONCE="$TMP/once" LD_PRELOAD="$TMP/die.so"
	ingest_start
	unset LD_PRELOAD
	many --count 30
	stored 30
	wait_for 30 settled 30
	"$SANDBOX" kill "$SANDBOX_DIR" database
	: > "$TMP/once"
	many --first 31 --count 70
	# The file goes before DIE_RUN begins.
	gone() { [ ! -e "$TMP/once" ] && { [ -z "${DIE_RUN-}" ] || [ -e "$TMP/broker-away" ]; }; }
	ok "$1: cut off between tier and ack" wait_for 60 gone
	ok "$1: after a copy was in the tier" logged 'event=delayed '
	# In the tier, or back in the queue: by now nobody can say.
	id=$(sed -n 's/.* \([^ ]*\) event=delayed .*/\1/p' "$TMP/log" | head -n 1)
	trace "$id"
	is "$(said '.Messages[0].State') $(date -d "$(said '.Messages[0].NextAttempt')" +%s)" \
		"waiting $(sed -n "s/.* $id event=delayed .* next=\([0-9]*\) .*/\1/p" "$TMP/log" | tail -n 1)" \
		"$1: trace tells that it waits, and until when"
	like "$(said '.Messages[0].Conclusion')" ': .*database error 20[0-9][0-9]: ' "$1: and why"
	is "$(said '[.NotLookedAt[] | sub(":.*"; "")] | join(" ")')" "$2" "$1: and whom it could not ask"
	"$SANDBOX" up "$SANDBOX_DIR" broker > /dev/null
	"$SANDBOX" up "$SANDBOX_DIR" database > /dev/null
	stored 100
	wait_for 120 settled 100 || diag "$(rows) rows; in the queue and the tiers: $(probe count mail.in.support)" \
		"$(probe count mail.retry.1s) $(probe count mail.retry.2s); $(tail -n 5 "$TMP/log")"
	ingest_stop
	is "$(rows) $(probe count mail.dead)" '100 0' "$1: all are stored once"
	trace "$id"
	like "$(said '.Messages[0] | .State + ": " + .Conclusion')" '^stored: stored at 20[^ ]*Z, route support$' \
		"$1: trace tells that it is stored"
	ok "$1: what was in both places came as a duplicate" test "$(events duplicate)" -ge 1
}
cut_off 'worker killed' database
export DIE_RUN="'$SANDBOX' kill '$SANDBOX_DIR' broker && : > '$TMP/broker-away'"
cut_off 'broker killed' 'database broker'
