#!/bin/sh
# A request that kills the worker that prepares it ends in mail.dead with the reason; the others are sent.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
# Sanitizers do not like to be preloaded behind a shim.
nm -D "$BUILD/sbin/mailout" | grep -q __asan_init && skip_all 'built with sanitizers'
plan 5
use_sandbox --only broker,database
mailout_setup
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/poison.so" "$TREE/tests/it/shim/poison.c" -ldl ||
	die 'the shim does not compile'
chmod 755 "$TMP/poison.so"
requests 20 | publish
first=21 requests 1 '"Tag": "BITTER-ALMOND"' | publish
first=22 requests 19 | publish
export POISON=BITTER-ALMOND LD_PRELOAD="$TMP/poison.so"
mailout_start
unset LD_PRELOAD
recorded 'sent 39' 60
dead() { [ "$(waiting mail.dead)" = 1 ]; }
wait_for 30 dead
mailout_stop
is "$(grep -c 'died of signal 11' "$TMP/log")" 2 'two workers died of it'
is "$(statuses) $(mail_numbers | uniq | wc -l)" 'sent 39 39' 'the others are sent'
like "$(probe take mail.dead)" '2 workers died while they had it in hand, the last one of signal 11 \(Segmentation fault\)' \
	'it is in mail.dead with the reason'
is "$(waiting mail.out.transactional)" 0 'nothing is left'
is "$mailout_status" 0 'exit status'
