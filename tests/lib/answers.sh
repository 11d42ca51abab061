# shellcheck shell=sh disable=SC2034,SC2154
# For tests of acknowledgements; after tap.sh, use_sandbox, mailout.sh and notice.sh:
#
#	answers_setup			routes support and photos with their targets; mailin-ingest is not started
#	arrive ROUTE SENDER < mail	a mail to ROUTE@example.test is in its queue
#	ingest_start; ingest_stop
#	unanswered			"3 automatic,1 own": why there were none, of those that have none

ingest_pid=
answers_setup() {
	mailout_setup
	notice_setup
	sed -i '/^\[route photos\]/,/^$/d' "$TMP/conf"
	cat >> "$TMP/conf" <<-END
		target = support

		[route photos]
		recipients = photos@example.test
		target = gallery
		attachments_refused = drop
	END
	"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 || die "mailctl setup: $(cat "$TMP/setup.log")"
	at_exit 'ingest_kill'
}

arrive() {
	"$BUILD/sbin/mailin" --config "$TMP/conf" --dry-run --sender "$2" --recipient "$1@example.test" > "$TMP/document" ||
		die "mailin: $?"
	jq -c . "$TMP/document" | "$BUILD/tests/it/ingest_probe" publish "$1" || die 'publish'
}

ingest_start() {
	"$BUILD/sbin/mailin-ingest" --config "$TMP/conf" --foreground 2>> "$TMP/log" 4>&- &
	ingest_pid=$!
}

ingest_stop() {
	kill -TERM "$ingest_pid"
	wait "$ingest_pid"
	ingest_pid=
}

ingest_kill() {
	[ -z "$ingest_pid" ] || kill -KILL "$ingest_pid" 2> /dev/null
	ingest_pid=
}

rows() { sql 'SELECT COUNT(*) FROM messages'; }
is_stored() { [ "$(rows)" -ge "$1" ]; }
stored() { wait_for 30 is_stored "$1" || diag "only $(rows) rows: $(tail -n 5 "$TMP/log")"; }

made_answers() { grep -c ' event=notice .*kind=\(ticket\|gallery\)' "$TMP/log"; }
unanswered() {
	sed -n 's/.* event=no-notice .*kind=\(ticket\|gallery\).* why=\([a-z-]*\).*/\2/p' "$TMP/log" | sort | uniq -c |
		sed 's/^ *//' | tr '\n' ',' | sed 's/,$//'
}
# decided N: of so many it is known.
is_decided() { [ "$(grep -c ' event=\(no-\)\?notice .*kind=\(ticket\|gallery\)' "$TMP/log")" -ge "$1" ]; }
decided() { wait_for 30 is_decided "$1" || diag "not $1 decided: $(tail -n 5 "$TMP/log")"; }
