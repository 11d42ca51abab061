# shellcheck shell=sh disable=SC2154
# For tests of mailctl dead and retry; after tap.sh and use_sandbox:
#
#	dead_setup			topology and tables; the config is $TMP/conf
#	fill 5 mail.in.support 'busy'	dead letters; ids are 00000000-0000-8000-8000-NUMBER, from $first (1) on
#	ctl dead list			mailctl with that config
#	waiting mail.dead		how many are ready

dead_setup() {
	sed '/^\[retry\]/,/^$/d' "$CONFIG" > "$TMP/conf"
	printf '\n[retry]\ntiers = 10m 1h\n' >> "$TMP/conf"
	ctl setup > "$TMP/setup.log" 2>&1 || die "mailctl setup: $(cat "$TMP/setup.log")"
}

ctl() { "$BUILD/bin/mailctl" --config "$TMP/conf" "$@"; }
dead_probe() { "$BUILD/tests/it/dead_probe" "$@"; }
fill() { dead_probe fill "${exchange:-mail.dead}" "$2" "$1" "${first:-1}" "$3" "${bytes:-100}" || die 'fill'; }
waiting() { dead_probe count "$1"; }
waits() { [ "$(waiting "$1")" -eq "$2" ]; }
# Wait for so many to be ready.
await() { wait_for 30 waits "$1" "$2" || diag "$1: $(waiting "$1"), not $2"; }
# The numbers of the messages of a queue, in order; they stay.
numbers() { dead_probe ids "$1" | sed 's/.*-0*//'; }
id() { printf '00000000-0000-8000-8000-%012d\n' "$1"; }
