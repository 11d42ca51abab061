# shellcheck shell=sh disable=SC2154
# For tests in which the clock jumps under a running program; after tap.sh:
#
#	clock_setup		or skip the test, without libfaketime or with sanitizers
#	( clock_exec PROGRAM ... ) &	in a process of its own
#	clock_set +7d		from now on its clock is a week ahead of ours; +0: it is ours
#
# Monotonic clocks stay as they are, as they do when somebody sets the clock.

CLOCK_FILE=$TMP/clock

clock_setup() {
	clock_library=$(find /usr/lib -name libfaketimeMT.so.1 2> /dev/null | head -n 1)
	[ -n "$clock_library" ] || skip_all 'libfaketime is not installed'
	nm -D "$BUILD/sbin/mailin-ingest" | grep -q __asan_init && skip_all 'built with sanitizers'
	clock_set +0
}

# In one step: the file is never seen half written.
clock_set() {
	echo "$1" > "$CLOCK_FILE.new"
	mv "$CLOCK_FILE.new" "$CLOCK_FILE"
}

clock_exec() {
	export LD_PRELOAD="$clock_library" FAKETIME_TIMESTAMP_FILE="$CLOCK_FILE" FAKETIME_NO_CACHE=1 \
		FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
	exec "$@"
}
