#!/bin/sh
# A missing or broken mailin delays mail, though pipe(8) would bounce it: the delivery status filter.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
plan 15
own_pipeline
mailin=$SANDBOX_DIR/usr/sbin/mailin
mv "$mailin" "$mailin.away"
id=$(send --subject "$TAG 1" support@example.test)
ok 'no program: deferred' wait_for 60 is_delayed "$id"
like "$(delay_reason "$id")" 'execvp .*/mailin: No such file or directory' 'the reason is what pipe(8) says'
postfix_says "$id" 'dsn=4\.3\.0, status=deferred' 'with a status that waits'

# broken EXIT-STATUS: what the dynamic loader, sysexits.h or a shell would answer; pipe(8) says 5.3.x
broken() {
	printf '#!/bin/sh\nexit %s\n' "$1" > "$mailin.new"
	chmod 755 "$mailin.new"
	mv "$mailin.new" "$mailin"
	broken_id=$(send --subject "$TAG $1" support@example.test)
	ok "exit status $1: deferred" wait_for 60 is_delayed "$broken_id"
	postfix_says "$broken_id" 'dsn=4\.3\.0, status=deferred' "exit status $1: as a fault of ours"
}
broken 127
broken 64
broken 69
broken 70
broken 78
mv "$mailin.away" "$mailin"
flush
ok 'all stored after the repair' rows_become 6 "subject LIKE '$TAG%'"
unlike "$(cat "$POSTFIX_LOG")" 'status=bounced' 'nothing bounced'
