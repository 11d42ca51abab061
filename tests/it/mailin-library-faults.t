#!/bin/sh
# Library calls that fail one at a time: every mail waits, none is lost or bounced.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
[ -z "$SANITIZED" ] || skip_all 'sanitizers do not like to be preloaded behind a shim'
use_broker
own_parser
fault() { # CALL:ERRNO[:N] TEXT [FIRST-LINE]
	printf '%s\n' "${3-Subject: x}" > "$TMP/mail"
	OUT=$(FAIL=$1 LD_PRELOAD=$SHIM "$MAILIN" -c "$CONF" --queue-id "$QUEUE_ID" \
		--sender '' -- support@example.com < "$TMP/mail" 2> "$TMP/errors")
	STATUS=$?
	is_result 75 "4.3.0 $2" "$1"
}
fault memfd_create:ENOMEM 'no memory file for the mail: Cannot allocate memory'
fault memfd_create:ENFILE 'no memory file for the mail: Too many open files in system'
fault memfd_create:ENOSPC:2 'mailin-parse: no memory file for the document: No space left on device'
fault readlink:EACCES 'mailin-parse: cannot find it: Permission denied'
fault pipe2:EMFILE 'mailin-parse: no pipe: Too many open files'
fault posix_spawn:EAGAIN \
	"mailin-parse: $TMP/tree/sbin/../libexec/mailpipe/mailin-parse: Resource temporarily unavailable"
fault pidfd_open:ENOSYS 'mailin-parse: pidfd_open: Function not implemented'
fault read:EIO 'reading the mail: Input/output error'
fault write:ENOSPC 'keeping the mail in memory: No space left on device'
fault write:ENOMEM:2 'mailin-parse: handing over the job: Cannot allocate memory'
fault lseek:EIO 'the mail in memory: Input/output error'
fault fstat:EIO 'mailin-parse: its output: Input/output error'
fault mmap:ENOMEM 'mailin-parse: mapping its output: Cannot allocate memory'
fault timer_create:EAGAIN 'no timer: Resource temporarily unavailable'
# When the parser has failed, too:
fault mmap:ENOMEM 'mapping the mail: Cannot allocate memory' 'kill 11'
fault memfd_create:ENOMEM:3 'writing the document: Cannot allocate memory' 'kill 11'
fault write:ENOSPC:3 'writing the document: No space left on device' 'kill 11'
fault mmap:ENOMEM:2 'mapping the document: Cannot allocate memory' 'kill 11'
is "$(waiting)" 0 'nothing is published'
done_testing
