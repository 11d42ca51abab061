#!/bin/sh
# kill -9 of a worker between COMMIT and its acknowledgement to the broker: each poster hears of the ticket once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailout.sh"
. "$(dirname "$0")/../lib/notice.sh"
. "$(dirname "$0")/../lib/answers.sh"
# Sanitizers do not like to be preloaded behind a shim.
nm -D "$BUILD/sbin/mailin-ingest" | grep -q __asan_init && skip_all 'built with sanitizers'
use_sandbox --only broker,database
answers_setup
# shellcheck disable=SC2046
"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMP/die.so" "$TREE/tests/it/shim/die.c" \
	$(pkg-config --cflags librabbitmq libmariadb) -ldl || die 'the shim does not compile'
chmod 755 "$TMP/die.so"
mailout_start

# killed PLACE CALL FROM: four tickets from different posters, and two more mails in them.
killed() {
	: > "$TMP/log"
	: > "$TMP/once"
	for n in 1 2 3 4; do
		number=$3$n mail "$verified" | sed "s/ann@/p$3$n@/" | arrive support "p$3$n@x.example"
	done
	for n in 5 6; do
		number=$3$n mail "$verified" "In-Reply-To: <$3$((n - 4))@x.example>" | sed "s/ann@/p$3$((n - 4))@/" |
			arrive support "p$3$((n - 4))@x.example"
	done
	photo "$3" | arrive photos "p${3}7@x.example"
	export DIE_AT="$1" DIE_CALL="$2" DIE_ONCE="$TMP/once" LD_PRELOAD="$TMP/die.so"
	ingest_start
	unset LD_PRELOAD
	wait_for 30 settled "$3" || diag "$(tail -n 5 "$TMP/log")"
	ingest_stop
	wait_for 30 is_empty mail.out.transactional
	is "$(grep -c 'died of signal 9' "$TMP/log")" 1 "$1, call $2: a worker was killed"
	is "$(sql "SELECT COUNT(*) FROM messages WHERE sender LIKE 'p$3%'")" 7 "$1, call $2: all are there once"
	delivered $((5 * ($3 + 1)))
	is "$(cut -f3 "$SINK/mails" | grep "^p$3" | sort | tr '\n' ' ')" \
		"$(for n in 1 2 3 4 7; do printf 'p%s@x.example ' "$3$n"; done)" "$1, call $2: each poster is told once"
}
photo() {
	"$TREE/tests/lib/photo-mail" --subject Summer --header "From: Ann <p${1}7@x.example>" --header "Message-ID: <${1}7@x.example>" \
		--header "$verified" baseline.jpg
}
settled() {
	[ "$(sql "SELECT COUNT(*) FROM messages WHERE sender LIKE 'p$1%'")" = 7 ] && is_empty mail.in.support && is_empty mail.in.photos &&
		[ "$(sql "SELECT COUNT(*) FROM outbound_recipients WHERE status = 'sent' AND email LIKE 'p$1%'")" = 5 ]
}
killed committed 1 0
killed ack 1 1
killed committed 2 2
killed ack 2 3
mailout_stop
is "$(sql "SELECT COUNT(*), SUM(n) FROM (SELECT COUNT(*) AS n FROM outbound GROUP BY id) o")" '20	20' 'no request has another id'
done_testing
