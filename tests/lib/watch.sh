# shellcheck shell=sh disable=SC2154
# For tests of mailctl watch; after tap.sh:
#
#	watch_setup			SMTP sink and a config in $TMP/conf: mail to ops@, SMS to sms@, and
#					a command that writes a line "NEWS KINDS" to $TMP/told
#	watch_set command 'sleep 9'	a parameter of [alerts]
#	watch_start; watch_stop		the resident one; its log is $TMP/log
#	rounds 3			wait for so many more rounds
#
# The config is that of the sandbox, if there is one; else no server is there.

watch_pid=
sink_pid=
SINK=$TMP/sink

watch_setup() {
	mkdir -p "$SINK" "$TMP/state"
	: > "$SINK/bodies"
	: > "$TMP/told"
	: > "$TMP/log"
	sink_start
	if [ -n "${CONFIG-}" ]; then
		sed '/^\[\(smtp\|mailpipe\|mailout\)\]/,/^$/d' "$CONFIG" > "$TMP/conf"
	else
		printf '[amqp]\nhosts = 127.0.0.1:1\n\n[mysql]\nsocket = /nowhere\n\n[log]\ntarget = stderr\n' > "$TMP/conf"
	fi
	cat >> "$TMP/conf" <<-END

		[mailpipe]
		instance = test
		state_dir = $TMP/state

		[smtp]
		hosts = 127.0.0.1:$(cat "$SINK/port")
		timeout = 20s

		[mailout]
		from = Watch <watch@example.test>
		templates = $TREE/templates

		[alerts]
		to = ops@example.test
		sms_to = sms@example.test
		command = cat > $TMP/text; echo "\$MAILPIPE_ALERT \$MAILPIPE_KINDS" >> $TMP/told
		interval = 300ms
		pauses = 1h
		clear_after = 1s
		restarts = 1000
	END
	at_exit 'watch_kill; sink_stop'
}

watch_set() { sed -i -e "/^\[alerts\]/,/^\[/{/^$1 =/d}" -e "s|^\[alerts\]|[alerts]\n$1 = $2|" "$TMP/conf"; }

sink_start() {
	sink_port=$(cat "$SINK/port" 2> /dev/null || echo 0)
	rm -f "$SINK/port"
	"$TREE/tests/lib/smtp-sink.py" "$SINK" "$sink_port" 2>> "$TMP/sink.log" &
	sink_pid=$!
	wait_for 30 test -s "$SINK/port" || die "the sink does not start: $(cat "$TMP/sink.log")"
}

# Its port stays known.
sink_stop() {
	[ -z "$sink_pid" ] || kill -KILL "$sink_pid" 2> /dev/null
	sink_pid=
}

watch() { "$BUILD/bin/mailctl" -c "$TMP/conf" watch "$@"; }

watch_start() {
	"$BUILD/bin/mailctl" -c "$TMP/conf" watch -f 2>> "$TMP/log" 4>&- &
	watch_pid=$!
}

watch_stop() {
	kill -TERM "$watch_pid"
	wait "$watch_pid"
	# shellcheck disable=SC2034 # for the tests
	watch_status=$?
	watch_pid=
}

watch_kill() {
	[ -z "$watch_pid" ] || kill -KILL "$watch_pid" 2> /dev/null
	watch_pid=
}

# The memory is written anew in each round.
state_id() { stat -c '%i %y' "$TMP/state/watch.json" 2> /dev/null; }
state_changed() { [ "$(state_id)" != "$state_was" ]; }
rounds() {
	rounds_left=$1
	while [ "$rounds_left" -gt 0 ]; do
		state_was=$(state_id)
		wait_for 60 state_changed || die "no round any more: $(tail -n 5 "$TMP/log")"
		rounds_left=$((rounds_left - 1))
	done
}

told() { cat "$TMP/told"; }
has_told() { [ "$(wc -l < "$TMP/told")" -ge "$1" ]; }
await_told() { wait_for 60 has_told "$1" || diag "told only: $(told); $(tail -n 5 "$TMP/log")"; }
mails_to() { awk -F '\t' -v to="$1" '$3 == to' "$SINK/mails" | wc -l; }
subjects_to() { awk -F '\t' -v to="$1" '$3 == to { print $5 }' "$SINK/mails"; }
has_mails_to() { [ "$(mails_to "$1")" -ge "$2" ]; }
await_mails_to() { wait_for 60 has_mails_to "$1" "$2" || diag "only $(mails_to "$1") mails to $1; $(tail -n 5 "$TMP/log")"; }
logged() { grep -Eq -- "$1" "$TMP/log"; }
await_log() { wait_for 60 logged "$1" || diag "not in the log: $1; its end: $(tail -n 5 "$TMP/log")"; }
