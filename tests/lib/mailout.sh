# shellcheck shell=sh disable=SC2154
# For tests of mailout; after tap.sh and use_sandbox:
#
#	mailout_setup			sink, topology and tables; the config is $TMP/conf
#	mailout_set mailout record required	a parameter of a section
#	requests 3 '"Tag": "a"' | publish	3 requests, each with these members, to a stream
#	mailout_start; delivered 3	start it, wait until the sink has 3 messages
#	mailout_stop			SIGTERM; exit status in $mailout_status, log in $TMP/log
#
# A request's subject is "$TAG NUMBER".  See smtp-sink.py for recipients that fail.

TAG=$(basename "$0" .t)
mailout_pid=
sink_pid=
SINK=$TMP/sink

# tiers: 300ms 600ms, so that tests need not wait.
mailout_setup() {
	mkdir -p "$SINK" "$TMP/templates"
	sink_start
	sed '/^\[\(smtp\|retry\|mailout\)\]/,/^$/d' "$CONFIG" > "$TMP/conf"
	cat >> "$TMP/conf" <<-END

		[smtp]
		hosts = 127.0.0.1:$(cat "$SINK/port")
		sessions = 2
		timeout = 20s

		[retry]
		tiers = 300ms 600ms

		[mailout]
		backoff_max = 1s
		from = Shop <shop@example.test>
		templates = $TMP/templates
	END
	"$BUILD/bin/mailctl" --config "$TMP/conf" setup > "$TMP/setup.log" 2>&1 ||
		die "mailctl setup: $(cat "$TMP/setup.log")"
	: > "$TMP/log"
	at_exit 'mailout_kill; sink_stop'
}

mailout_set() { sed -i -e "/^\[$1\]/,/^\[/{/^$2 =/d}" -e "s/^\[$1\]/[$1]\n$2 = $3/" "$TMP/conf"; }

sink_start() {
	rm -f "$SINK/port"
	"$TREE/tests/lib/smtp-sink.py" "$SINK" "${1:-0}" 2>> "$TMP/sink.log" &
	sink_pid=$!
	wait_for 30 test -s "$SINK/port" || die "the sink does not start: $(cat "$TMP/sink.log")"
}

# On the port it had.
sink_restart() { sink_start "$(sed -n 's/^hosts = 127.0.0.1:\([0-9]*\)$/\1/p' "$TMP/conf" | tail -n 1)"; }

sink_stop() {
	[ -z "$sink_pid" ] || kill -KILL "$sink_pid" 2> /dev/null
	sink_pid=
}

# In one step: it is never seen half written.
sink_mode() {
	echo "$1" > "$SINK/mode.new"
	mv "$SINK/mode.new" "$SINK/mode"
}

# requests COUNT [MEMBERS [TO]]: ids are 00000000-...-NUMBER, from $first (1) on.
requests() {
	python3 - "$1" "${2-}" "${3-to%d@example.test}" "$TAG" "${first:-1}" <<-'END'
		import sys
		count, members, to, tag, first = sys.argv[1:]
		for n in range(int(first), int(first) + int(count)):
		    address = to.replace("%d", str(n))
		    print('{"MessageID": "00000000-0000-4000-8000-%012d", "To": "%s", "Subject": "%s %d", '
		          '"TextBody": "Hello"%s}' % (n, address, tag, n, ", " + members if members else ""))
	END
}

publish() { probe publish "${1:-transactional}" || die 'publish'; }

probe() { "$BUILD/tests/it/mailout_probe" "$@"; }

mailout_start() {
	"$BUILD/sbin/mailout" --config "$TMP/conf" --foreground 2>> "$TMP/log" 4>&- &
	mailout_pid=$!
}

mailout_workers() { pgrep -P "$mailout_pid"; }

mailout_wait() {
	wait "$mailout_pid"
	# shellcheck disable=SC2034 # for the tests
	mailout_status=$?
	mailout_pid=
}

mailout_stop() {
	kill -TERM "$mailout_pid"
	mailout_wait
}

mailout_kill() {
	[ -z "$mailout_pid" ] || kill -KILL "$mailout_pid" 2> /dev/null
	mailout_pid=
}

# Lines of the sink: time, sender, recipients, Message-ID, subject.
mails() { cat "$SINK/mails"; }
mail_count() { wc -l < "$SINK/mails"; }
mail_numbers() { sed "s/.*$TAG //" "$SINK/mails" | sort -n; }
has_mails() { [ "$(mail_count)" -ge "$1" ]; }
delivered() { wait_for "${2:-30}" has_mails "$1" || diag "only $(mail_count) mails: $(tail -n 5 "$TMP/log")"; }

# STATUS COUNT, ...
statuses() { sql 'SELECT status, COUNT(*) FROM outbound GROUP BY status ORDER BY CAST(status AS CHAR)' | tr '\t\n' ' ,' | sed 's/,$//'; }
statuses_are() { [ "$(statuses)" = "$1" ]; }
# recorded "sent 3": wait until the record says that.
recorded() { wait_for "${2:-30}" statuses_are "$1" || diag "the record: $(statuses), not $1; $(tail -n 5 "$TMP/log")"; }
# STATUS of a request by its number.
status_of() { sql "SELECT status FROM outbound WHERE id = UNHEX(REPLACE('$(printf '00000000-0000-4000-8000-%012d' "$1")', '-', ''))"; }
recipients_of() {
	sql "SELECT email, status, COALESCE(code, '-'), enhanced FROM outbound_recipients
		WHERE outbound_id = UNHEX(REPLACE('$(printf '00000000-0000-4000-8000-%012d' "$1")', '-', '')) ORDER BY email" |
		tr '\t' ' '
}

waiting() { probe count "$1"; }
is_empty() { [ "$(waiting "$1")" = 0 ]; }
# hold QUEUE COUNT: wait until so many are ready there.  What is told and given up follows the record.
has_waiting() { [ "$(waiting "$1")" -ge "$2" ]; }
hold() { wait_for 30 has_waiting "$1" "$2" || diag "$1: $(waiting "$1"), not $2; $(tail -n 5 "$TMP/log")"; }

logged() { grep -Eq -- "$1" "$TMP/log"; }
await_log() { wait_for "${2:-30}" logged "$1" || diag "not in the log: $1; its end: $(tail -n 5 "$TMP/log")"; }
events() { grep -c " event=$1 " "$TMP/log"; }
