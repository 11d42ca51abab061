# shellcheck shell=sh
# For tests of mailout/sender: the hostile SMTP server, a config, the probe.  Use after tap.sh.

SENDER_PROBE=$BUILD/tests/it/sender_probe

# hostile NAME ARGUMENT ...: a server (tests/lib/hostile_smtp.py) in $TMP/NAME, until the test ends.  Sets port.
hostile() {
	sender_dir=$TMP/$1
	shift
	mkdir -p "$sender_dir"
	python3 "$TREE/tests/lib/hostile_smtp.py" "$sender_dir" "$@" > /dev/null &
	at_exit "kill $! 2> /dev/null; wait $! 2> /dev/null"
	wait_for 30 test -e "$sender_dir/port" || die "the hostile server does not start"
	# shellcheck disable=SC2034
	port=$(cat "$sender_dir/port")
}

# config [LINE ...]: $TMP/conf with those lines in its section smtp.
config() {
	printf '[smtp]\n' > "$TMP/conf"
	printf '%s\n' "$@" >> "$TMP/conf"
}

# probe COMMAND ...: what the probe prints, its first command being `start $TMP/conf`.
probe() {
	{
		echo "start $TMP/conf"
		printf '%s\n' "$@"
	} | timeout 100 "$SENDER_PROBE" 2>&1
}

# message NAME [LINE ...]: $TMP/NAME, a message with these lines as its body.
message() {
	sender_file=$TMP/$1
	shift
	{
		printf '%s\r\n' 'Date: Sun, 22 Nov 2026 12:00:00 +0000' 'From: <from@sender.test>' \
			'To: <to@sender.test>' 'Message-ID: <1@sender.test>' 'Subject: test' ''
		[ $# -eq 0 ] || printf '%s\r\n' "$@"
	} > "$sender_file"
}

# said NAME: the commands that the server got, one line each.
said() { sed -n 's/^[0-9]* > //p' "$TMP/$1/log"; }

# count_of NAME REGEX: how many lines of the server's log match.
count_of() { grep -Ec -- "$2" "$TMP/$1/log"; }
