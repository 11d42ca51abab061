#!/bin/sh
# mailctl trace reads logs of any kind, and says which it could not read.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/trace.sh"
plan 33
export TZ=UTC
# What is compared is of today.
within_the_hour 60
use_sandbox --only broker,database
"$BUILD/bin/mailctl" -c "$CONFIG" setup > "$TMP/setup.log" 2>&1 || die "$(cat "$TMP/setup.log")"
trace_no_postfix
logs=$TMP/logs
mkdir "$logs"
trace_args="--log=$logs/mail.log*"
Q=4jXYmb6zpbz1bqXX
I=01a20400-826f-8315-b117-9012de5e7471
day=$(date '+%b %e')

# Three rotations, the oldest compressed, and the same line in two files.
printf '%s 01:00:01 mx postfix/smtpd[1]: %s: client=mail.example.net[192.0.2.1]\n' "$day" "$Q" > "$logs/mail.log.2"
printf '%s 01:00:01 mx postfix/cleanup[1]: %s: message-id=<x@example.net>\n' "$day" "$Q" >> "$logs/mail.log.2"
printf '%s 01:00:01 mx postfix/qmgr[1]: %s: from=<ann@example.net>, size=9, nrcpt=1 (queue active)\n' "$day" "$Q" >> "$logs/mail.log.2"
printf '%s 01:00:02 mx postfix/pipe[1]: %s: to=<a@example.test>, relay=mailpipe, dsn=4.3.2, status=deferred (broker away)\n' "$day" "$Q" > "$logs/mail.log.1"
gzip "$logs/mail.log.2"
cp "$logs/mail.log.1" "$logs/mail.log.copy"
touch -d '3 hours ago' "$logs/mail.log.2.gz"
touch -d '2 hours ago' "$logs/mail.log.1" "$logs/mail.log.copy"
: > "$logs/mail.log"
trace "$Q"
is "$(said '.Messages | length')" 1 'a mail that Postfix alone knows'
is "$(said '[.Messages[0].Events[].Event] | join(" ")')" 'received received queued deferred' \
	'from a compressed and a plain file, each line once'
is "$(said '.Messages[0] | [.Direction, .State, .From, .MessageIDHeader] | join(" ")')" 'mail waiting ann@example.net x@example.net' \
	'waits in Postfix'
like "$(said '.Messages[0].Conclusion')" 'tries again by itself: to a@example.test by pipe mailpipe: 4.3.2 broker away$' 'and why'
trace ann@example.net
is "$(said '.Messages[0].QueueIDs[0]')" "$Q" 'found by its sender'
trace A@Example.test
is "$(said '.Messages[0].QueueIDs[0]')" "$Q" 'found by its recipient'
trace '<x@example.net>'
is "$(said '.Messages[0].QueueIDs[0]')" "$Q" 'found by its Message-ID'

# Then it is delivered: our line has its id, with the times of RFC 5424, and comes to Postfix's.
printf '%sT01:30:00.250000+00:00 mx mailin[1]: %s %s event=published route=support from=ann@example.net to=a@example.test size=9 delay=1.0\n' \
	"$(date +%F)" "$Q" "$I" > "$logs/mail.log"
printf '%sT01:30:00.300000+00:00 mx postfix/pipe[1]: %s: to=<a@example.test>, relay=mailpipe, dsn=2.0.0, status=sent (delivered)\n' \
	"$(date +%F)" "$Q" >> "$logs/mail.log"
trace "$Q"
is "$(said '.Messages[0] | [.MessageID, .Direction, .State] | join(" ")')" "$I inbound queued" 'it has an id now' ||
	true
is "$(said '[.Messages[0].Events[] | .Source + ":" + .Event] | join(" ")')" \
	'postfix:received postfix:received postfix:queued postfix:deferred log:published postfix:sent' 'in order of time'
is "$(said '.Messages[0].Events[4].At')" "$(date +%F)T01:30:00.250Z" 'to the millisecond'
trace "$I"
is "$(said '.Messages[0].QueueIDs[0]')" "$Q" 'and the id leads to the queue id'

# A bounce, and a mail of which one recipient is done and another is not.
cat > "$logs/mail.log" <<END
$day 02:00:00 mx postfix/qmgr[1]: BOUNCED123: from=<b@example.net>, size=9, nrcpt=1 (queue active)
$day 02:00:00 mx postfix/pipe[1]: BOUNCED123: to=<a@example.test>, relay=mailpipe, dsn=5.3.4, status=bounced (too large)
$day 02:00:00 mx postfix/bounce[1]: BOUNCED123: sender non-delivery notification: NOTICE1234
$day 02:00:00 mx postfix/qmgr[1]: BOUNCED123: removed
END
trace BOUNCED123
is "$(said '.Messages[0].State')" bounced 'a bounce'
like "$(said '.Messages[0].Conclusion')" '^Postfix returned it: .*5.3.4 too large$' 'and why'
like "$(said '[.Messages[0].Events[].Text] | join("\n")')" 'sender non-delivery notification: NOTICE1234' 'what it sent for that'

# Hostile lines: addresses that look like fields, control characters, NULs, no end, no sense.
{
	printf '%s 03:00:00 mx postfix/smtp[1]: HOSTILE123: to=<"x>, relay=y, status=sent (ok)"@b.test>, relay=none, dsn=4.4.1, status=deferred (\033[31mred\007)\n' "$day"
	printf '%s 03:00:01 mx postfix/smtp[1]: HOSTILE123: to=<"x>, relay=y, status=sent (ok)"@b.test>, relay=none, dsn=4.4.1, status=deferred (a\0b\377\376)\n' "$day"
	printf '%s 03:00:02 mx postfix/smtp[1]: HOSTILE123: to=<c@b.test>, relay=none, dsn=4.4.1, status=deferred (' "$day"
	head -c 3000000 /dev/zero | tr '\0' z
	printf ')\n'
	head -c 100000 /dev/urandom
	printf '\n%s 03:00:03 mx postfix/qmgr[1]: HOSTILE123: removed\n' "$day"
	printf '%s 03:00:04 mx evil[1]: HOSTILE123: to=<d@b.test>, status=sent (no)\n' "$day"
	printf '%s 03:00:05 mx postfix/smtp[1]: HOSTILE123: to=<e@b.test>, dsn=2.0.0, status=sent (no line end)' "$day"
} > "$logs/mail.log"
trace HOSTILE123
is "$?" 0 'hostile lines'
is "$(said '[.Messages[0].Events[].Event] | join(" ")')" 'deferred deferred deferred removed sent' 'are taken for what they are'
is "$(said '[.Messages[0].Events[].Text | length] | max < 17000')" true 'a line without an end is cut'
like "$(said '.Messages[0].Events[1].Text')" 'a\?b' 'a NUL does not end a line'
out=$("$BUILD/bin/mailctl" -c "$CONFIG" trace "--log=$logs/mail.log*" HOSTILE123 | tr -d '\n')
is "$(printf '%s' "$out" | LC_ALL=C tr -dc '\000-\037\177' | wc -c)" 0 'no control character comes through'
# shellcheck disable=SC2016 # for that shell
ok 'what is printed is UTF-8' sh -c 'printf %s "$1" | iconv -f UTF-8 -t UTF-8 > /dev/null' sh "$out"

# More mails of one address than are asked for: the latest count.
for n in $(seq 100 399); do
	printf '%s 04:%02d:%02d mx postfix/qmgr[1]: MANY0000%s: from=<many@example.net>, size=9, nrcpt=1 (queue active)\n' \
		"$day" $((n / 60)) $((n % 60)) "$n"
done > "$logs/mail.log"
trace --limit=3 many@example.net
is "$(said '[.Messages[].QueueIDs[0]] | join(" ")')" 'MANY0000399 MANY0000398 MANY0000397' 'the latest of many mails'
is "$(said .More)" true 'and that there are more'

# What cannot be read.
trace_args=
trace --log="$TMP/none*" "$Q"
trace_args="--log=$logs/mail.log*"
is "$(said '.NotLookedAt | join("\n")')" "$TMP/none*: there is no such file" 'no file' ||
	true
echo x > "$logs/mail.log.3.xz"
head -c 40 "$logs/mail.log.2.gz" > "$logs/mail.log.4.gz"
trace "$Q"
like "$(said '.NotLookedAt | join("\n")')" "^$logs/mail.log.3.xz: compressed, but not by gzip$" 'another compression'
like "$(said '.NotLookedAt | join("\n")')" "^$logs/mail.log.4.gz: " 'a compressed file that is cut off'
is "$(said '.Messages[0].QueueIDs[0]')" "$Q" 'the others are read'

# As a user who may not: everything else of the config is readable to it.
cp "$BUILD/bin/mailctl" "$TMP/mailctl"
mkdir "$TMP/etc"
cp "$(dirname "$(sed -n 's/^setup_password_file = \(.*broker.*\)/\1/p' "$CONFIG")")"/*setup.password "$TMP/etc"
chmod 644 "$TMP/etc"/*
sed "s|= .*/\\([a-z-]*setup.password\\)|= $TMP/etc/\\1|" "$CONFIG" > "$TMP/nobody.conf"
chmod 600 "$logs/mail.log.1"
setpriv --reuid 65534 --clear-groups "$TMP/mailctl" -c "$TMP/nobody.conf" trace --json "--log=$logs/mail.log*" "$Q" > "$TMP/trace.json"
like "$(said '.NotLookedAt | join("\n")')" "^$logs/mail.log.1: Permission denied$" 'a file that may not be read'
is "$(said '.Messages[0].State')" waiting 'and what the copy of it tells'
rm "$logs"/mail.log*

# The journal, by journalctl(1).
cat > "$TMP/bin/journalctl" <<END
#!/bin/sh
echo "\$*" > "$TMP/journalctl.args"
echo "2026-11-22T16:00:00.123456+0000 mx postfix/qmgr[1]: JOURNAL123: from=<j@example.net>, size=9, nrcpt=1 (queue active)"
exit \$(cat "$TMP/journalctl.status")
END
chmod +x "$TMP/bin/journalctl"
echo 0 > "$TMP/journalctl.status"
trace_args='--log=journal'
trace JOURNAL123
is "$(said '.Messages[0] | .From + " " + .Events[0].At')" 'j@example.net 2026-11-22T16:00:00.123Z' 'the journal'
like "$(cat "$TMP/journalctl.args")" ' --since @[0-9]* SYSLOG_FACILITY=2 ' 'of what mail has logged since then'
echo 1 > "$TMP/journalctl.status"
trace JOURNAL123
is "$(said '.NotLookedAt | join("\n")')" 'journal: journalctl shows nothing' 'a journal that cannot be read'
trace_args=--no-log
trace JOURNAL123
is "$? $(said '.NotLookedAt | join("\n")')" '1 log: not read, as asked for' '--no-log'
trace --log="$TMP/none" 'not a key'
is "$? $(head -n 1 "$TMP/trace.err")" '64 mailctl: trace: not a key: neither a queue id nor an id, a Message-ID in angle brackets or an address' \
	'what is no key'
