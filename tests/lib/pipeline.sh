# shellcheck shell=sh
# Helpers of end-to-end tests: from SMTP through Postfix and the whole pipeline to the row.
# After tap.sh.  Tests that break nothing use the shared pipeline and find their own mails by
# queue id or by $TAG, which is in no other test's mails.

TAG=$(basename "$0" .t)-$$

# The pipeline of the shared sandbox, or one of the test's own.
use_pipeline() {
	if [ -n "${MAILPIPE_SANDBOX-}" ] && [ -e "$MAILPIPE_SANDBOX/run/ingest.pid" ]; then
		SANDBOX_DIR=$MAILPIPE_SANDBOX
		set -a
		# shellcheck disable=SC1091
		. "$SANDBOX_DIR/env"
		set +a
	else
		own_pipeline
	fi
}

own_pipeline() {
	own_sandbox
	[ -e "$SANDBOX_DIR/run/ingest.pid" ] || die "there is no pipeline in the sandbox: build first"
}

# smtp ARGUMENT ...: prints "NUMBER QUEUEID" or "NUMBER CODE TEXT"; see smtp-send.
smtp() { "$TREE/tests/lib/smtp-send" --port "$SMTP_PORT" "$@"; }

# The queue id of one mail.
send() { smtp "$@" | cut -d' ' -f2-; }

count_rows() { sql "SELECT COUNT(*) FROM messages WHERE $1"; }

rows_are() { [ "$(count_rows "$2")" -eq "$1" ]; }

# rows_become N CONDITION [SECONDS]
rows_become() { wait_for "${3:-60}" rows_are "$1" "$2"; }

# What Postfix says of a mail that waits: its reasons, one per recipient.
delay_reason() {
	postqueue -c "$POSTFIX_CONFIG" -j | jq -r --arg id "$1" 'select(.queue_id == $id) | .recipients[].delay_reason // empty'
}

is_delayed() { [ -n "$(delay_reason "$1")" ]; }

flush() { postqueue -c "$POSTFIX_CONFIG" -f; }

# Not to be asked of a mail in delivery: one that moves between two queues is in neither list.
queue_is_empty() { queue_now=$(postqueue -c "$POSTFIX_CONFIG" -j) && [ -z "$queue_now" ]; }

# Postfix's log lines of a queue id.
postfix_log() { grep -F " $1: " "$POSTFIX_LOG"; }

# postfix_says ID EXTENDED-REGULAR-EXPRESSION NAME: its log does, which comes a little later than what it tells.
postfix_logged() { postfix_log "$1" | grep -Eq -- "$2"; }
postfix_says() {
	wait_for 30 postfix_logged "$1" "$2"
	like "$(postfix_log "$1")" "$2" "$3"
}

# It is running with the config as it is by now, and nothing with the one before.
postfix_anew() {
	"$SANDBOX" halt "$SANDBOX_DIR" postfix
	touch -d '1 minute ago' "$POSTFIX_CONFIG/main.cf" "$POSTFIX_CONFIG/master.cf"
	"$SANDBOX" up "$SANDBOX_DIR" postfix || die 'postfix does not start'
}

is_sent() { postfix_log "$1" | grep -q 'relay=mailpipe, .*status=sent'; }

# Messages in one of the broker's queues.
waiting() {
	"$SANDBOX" broker "$SANDBOX_DIR" list_queues --formatter json name messages |
		jq --arg name "$1" '[.[] | select(.name == $name) | .messages] | add // 0'
}

# Each of the mails NUMBER is there exactly once: compares the lines "NUMBER QUEUEID" of
# smtp-send with the rows that have $TAG in their subjects ("$TAG NUMBER").
accepted_numbers() { awk 'NF == 2 { print $1 }' "$1" | sort -n; }
stored_numbers() { sql "SELECT SUBSTRING_INDEX(subject, ' ', -1) FROM messages WHERE subject LIKE '$TAG %'" | sort -n; }
