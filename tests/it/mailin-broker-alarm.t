#!/bin/sh
# A broker that does not read any more during publish (memory alarm): deferred when the time is over; after the
# alarm the same mail passes.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
plan 6
own_sandbox --only broker
write_config <<END
[limits]
deadline = 3s
END
"$PROBE" declare "$CONF" || die "the topology cannot be declared"
perl -e 'print "Subject: x\n\n"; print "y" x 70, "\n" for 1 .. 40000' > "$TMP/mail"

"$SANDBOX" broker "$SANDBOX_DIR" set_vm_memory_high_watermark 0 || die "no alarm"
begun=$(date +%s)
deliver < "$TMP/mail"
is "$STATUS" 75 'deferred'
like "$OUT" '^4\.[34]\.[0-9] ' 'with a reason'
ok 'in time' test $(($(date +%s) - begun)) -le 20

"$SANDBOX" broker "$SANDBOX_DIR" set_vm_memory_high_watermark absolute 2GB || die "the alarm stays"
write_config < /dev/null
deliver < "$TMP/mail"
is_result 0 '' 'afterwards'
is "$(take | jq '.TextBody | length')" 2840000 'the whole mail is in the queue'
