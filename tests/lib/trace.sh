# shellcheck shell=sh disable=SC2154
# For tests of mailctl trace, after tap.sh:
#
#	trace_logs			reads the pipeline's logs from now on
#	trace KEY; said '.Messages[0].State'	its answer, by jq(1)

trace_args=--no-log
trace_config=

# The sandbox's: Postfix's and those of the workers.
trace_logs() {
	trace_args="--log=$POSTFIX_LOG --log=$SANDBOX_DIR/log/ingest.log --log=$SANDBOX_DIR/log/mailout.log
		--postfix-config=$POSTFIX_CONFIG"
}

# For tests without Postfix: its queue is empty.
trace_no_postfix() {
	mkdir -p "$TMP/bin"
	printf '#!/bin/sh\n' > "$TMP/bin/postqueue"
	chmod +x "$TMP/bin/postqueue"
	PATH=$TMP/bin:$PATH
}

# Its exit status is mailctl's.
trace() {
	# shellcheck disable=SC2086 # several options
	"$BUILD/bin/mailctl" -c "${trace_config:-$CONFIG}" trace --json $trace_args "$@" > "$TMP/trace.json" 2> "$TMP/trace.err"
}

said() { jq -r "$1" "$TMP/trace.json"; }
