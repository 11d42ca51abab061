# shellcheck shell=sh
# TAP for tests in sh, and their use of the sandbox.  A test begins with
#
#	. "$(dirname "$0")/../lib/tap.sh"
#	plan 2
#	use_sandbox				# the shared one: own virtual host and database
#	is "$(sql 'SELECT 1')" 1 'the database answers'
#	like "$(cat "$TMP/log")" 'stat.s' 'a line of the log'
#
# What it started ends with it, whatever happens.  Variables: TREE (the source tree), BUILD (its
# programs), TMP (a directory of the test's own, readable by all), and those of the sandbox's env.

set -u
TREE=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TREE/build}
SANDBOX=$TREE/tests/lib/sandbox
TMP=$(mktemp -d "/tmp/mailpipe-test-$(basename "$0" .t)-XXXXXX")
chmod 755 "$TMP"
tap_count=0
tap_failed=0
tap_planned=
tap_at_exit=

tap_end() {
	tap_status=$?
	trap - EXIT
	eval "$tap_at_exit"
	rm -rf "$TMP"
	if [ "$tap_status" -ne 0 ]; then
		echo "# ended early with status $tap_status"
		exit "$tap_status"
	fi
	if [ -n "$tap_planned" ] && [ "$tap_count" -ne "$tap_planned" ]; then
		echo "# planned $tap_planned, ran $tap_count"
		exit 1
	fi
	[ "$tap_failed" -eq 0 ] || exit 1
	exit 0
}
trap tap_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# Nobody reads any more (the runner ended): without this the shell would die with everything running.
trap 'exit 141' PIPE

# Run a command line at the end of the test; the last one first.
at_exit() { tap_at_exit="$1
$tap_at_exit"; }

plan() {
	tap_planned=$1
	echo "1..$1"
}

done_testing() {
	tap_planned=$tap_count
	echo "1..$tap_count"
}

skip_all() {
	echo "1..0 # SKIP $1"
	tap_planned=0
	exit 0
}

diag() { printf '%s\n' "$*" | sed 's/^/# /' >&2; }

# die MESSAGE: this test cannot go on; the others can.
die() {
	diag "$1"
	exit 255
}

pass() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' "$tap_count" "$1" # echo of sh would end at a \c in it
}

fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_count" "$1"
}

# ok NAME COMMAND ...: the command succeeds.
ok() {
	tap_name=$1
	shift
	if "$@"; then pass "$tap_name"; else
		fail "$tap_name"
		diag "failed: $*"
	fi
}

# is GOT WANTED NAME
is() {
	if [ "$1" = "$2" ]; then pass "$3"; else
		fail "$3"
		diag "     got: $1"
		diag "  wanted: $2"
	fi
}

# like GOT EXTENDED-REGULAR-EXPRESSION NAME: one of the lines matches.
like() {
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then pass "$3"; else
		fail "$3"
		diag "     got: $1"
		diag "  wanted: /$2/"
	fi
}

# unlike GOT EXTENDED-REGULAR-EXPRESSION NAME: none of the lines matches.
unlike() {
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then
		fail "$3"
		diag "     got: $1"
		diag "  not wanted: /$2/"
	else pass "$3"; fi
}

# wait_for SECONDS COMMAND ...: until it succeeds; fails when the time is over.
wait_for() {
	tap_until=$(($(date +%s) + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$(date +%s)" -lt "$tap_until" ] || return 1
		sleep 0.2
	done
}

# within_the_hour SECONDS: no hour, and so no day, ends in that time.
within_the_hour() {
	tap_left=$((3600 - $(date +%s) % 3600))
	[ "$tap_left" -gt "$1" ] || sleep "$tap_left"
}

# The shared sandbox (MAILPIPE_SANDBOX, which `make check` starts), with a virtual host and a
# database of the test's own; or one of the test's own, if there is no shared one (started with the
# arguments given, such as --only broker,database).
use_sandbox() {
	if [ -n "${MAILPIPE_SANDBOX-}" ] && [ -e "$MAILPIPE_SANDBOX/env" ]; then
		SANDBOX_DIR=$MAILPIPE_SANDBOX
	else
		own_sandbox "$@"
	fi
	tap_tenant=$("$SANDBOX" tenant "$SANDBOX_DIR" "$(basename "$0" .t | tr -c 'a-z0-9\n' _)_$$") ||
		die "the sandbox gives no tenant"
	set -a
	# shellcheck disable=SC1090
	. "$tap_tenant"
	set +a
}

# A sandbox of the test's own, in which it may kill servers; arguments as of `sandbox start`.
own_sandbox() {
	SANDBOX_DIR=$TMP/sandbox
	# shellcheck disable=SC2016
	at_exit '"$SANDBOX" stop "$SANDBOX_DIR" --purge --quiet'
	"$SANDBOX" start "$SANDBOX_DIR" --quiet "$@" >&2 || die "the sandbox does not start"
	set -a
	# shellcheck disable=SC1091
	. "$SANDBOX_DIR/env"
	set +a
}

# session_begin SQL: a session with the test's database that keeps the locks it takes there until session_end [SQL].
# Its answers are in $TMP/session.out, what is written to descriptor 4 is run; what is started meanwhile and goes on has
# to close that.
session_has() { grep -q held "$TMP/session.out"; }
session_begin() {
	[ -p "$TMP/session" ] || mkfifo "$TMP/session"
	: > "$TMP/session.out"
	mariadb --defaults-file="$MYSQL_ROOT_CNF" -N -B -n "$MYSQL_DATABASE" < "$TMP/session" > "$TMP/session.out" 2>&1 &
	session_pid=$!
	exec 4> "$TMP/session"
	echo "$1; SELECT 'held';" >&4
	wait_for 30 session_has || die "no session: $(cat "$TMP/session.out")"
}
session_end() {
	[ $# -eq 0 ] || echo "$1;" >&4
	exec 4>&-
	wait "$session_pid"
}

# Run SQL in the test's database as root: tab separated, without headings.
sql() {
	if [ $# -gt 0 ]; then
		mariadb --defaults-file="$MYSQL_ROOT_CNF" -N -B --raw "$MYSQL_DATABASE" -e "$1"
	else
		mariadb --defaults-file="$MYSQL_ROOT_CNF" -N -B --raw "$MYSQL_DATABASE"
	fi
}
