#!/bin/sh
# kill -9 of a worker before the claim, after the claim, after SMTP and after the record: the record tells what
# the server got, and only what is in doubt may be sent twice, or is held.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
use_sandbox --only broker,database
mailout_setup
mailout_set mailout batch_count 20
# shellcheck disable=SC2046
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/die.so" "$TREE/tests/it/shim/die.c" \
	$(pkg-config --cflags librabbitmq libmariadb) -ldl || die 'the shim does not compile'

# Sanitizers want to be loaded before a shim.
export ASAN_OPTIONS="verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"

recorded_numbers() { sql "SELECT SUBSTRING_INDEX(subject, ' ', -1) FROM outbound WHERE status = 'sent'" | sort -n; }

# killed PLACE CALL
killed() {
	sql 'DELETE FROM outbound'
	: > "$SINK/mails"
	: > "$TMP/log"
	: > "$TMP/once"
	requests 60 | publish
	export DIE_AT="$1" DIE_CALL="$2" DIE_ONCE="$TMP/once" LD_PRELOAD="$TMP/die.so"
	mailout_start
	unset LD_PRELOAD
	await_log 'died of signal 9'
	wait_for 30 is_settled
	mailout_stop
}

is_settled() { [ "$(sql "SELECT COUNT(*) FROM outbound WHERE status IN ('sent', 'held')")" = 60 ] && is_empty mail.out.transactional; }

# What both the server and the record must say when all is over.
same() {
	is "$(recorded_numbers | wc -l)" 60 "$1: all are recorded as sent"
	is "$(mail_numbers | uniq | wc -l)" 60 "$1: and were"
	is "$(waiting mail.out.transactional) $(waiting mail.dead)" '0 0' "$1: nothing is left in a queue"
}

# twice N: at most so many came twice, all of them in doubt before.
twice() {
	again=$(mail_numbers | uniq -d)
	doubted=$(sed -n 's/.*00000000-0000-4000-8000-0*\([0-9]*\) event=in-doubt.*/\1/p' "$TMP/log" | sort -n)
	is "$(echo "$again" | grep -vxF "$doubted" | wc -w)" 0 "$1: only what was in doubt is sent twice"
}

killed commit 1
same 'before the claim'
is "$(mail_numbers | uniq -d | wc -l) $(events in-doubt)" '0 0' 'before the claim: nothing was in doubt'

killed committed 1
same 'after the claim'
twice 'after the claim'
is "$(mail_numbers | uniq -d | wc -l)" 0 'after the claim: nothing is sent twice'
ok 'after the claim: what was claimed is in doubt' test "$(events in-doubt)" -ge 1
ok 'after the claim: no more than that' test "$(events in-doubt)" -le 20

killed commit 2
same 'after SMTP'
twice 'after SMTP'
ok 'after SMTP: something was in doubt' test "$(events in-doubt)" -ge 1

killed ack 1
same 'after the record'
twice 'after the record'
ok 'after the record: what is recorded is a duplicate' test "$(events duplicate)" -ge 1

# Held instead.
mailout_set mailout in_doubt hold
killed commit 2
held=$(sql "SELECT COUNT(*) FROM outbound WHERE status = 'held'")
is "$(mail_numbers | uniq -d | wc -l)" 0 'held: nothing is sent twice'
is "$(mail_count)" "$(mail_numbers | uniq | wc -l)" 'held: the server has each once'
is "$held" "$(events in-doubt)" 'held: what was in doubt'
is "$(probe take mail.dead | grep -c 'error=in doubt: an earlier run of mailout ended while it was being sent')" "$held" \
	'held: they are in mail.dead, with the reason'
sent=$(recorded_numbers)
is "$(echo "$sent" | grep -vxFc "$(mail_numbers)")" 0 'held: what is recorded as sent was sent'
done_testing
