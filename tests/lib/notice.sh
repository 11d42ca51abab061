# shellcheck shell=sh disable=SC2034,SC2154
# For tests of notices to posters; after tap.sh, use_sandbox, mailout.sh and mailout_setup:
#
#	notice_setup				templates of the tree; route support; mx.example.test is believed
#	post SENDER < mail > document		as mailin makes it of a mail to support@example.test
#	notices failed 5.6.0 < documents	what a worker would make of them goes to mailout; words of
#						refusals are in $TMP/words
#	posters 1 300 60 late | arrive	300 documents, each of another poster, a minute old

notice_setup() {
	cp -r "$TREE/templates/." "$TMP/templates"
	sed -i '/^\[route support\]/,/^$/d' "$TMP/conf"
	cat >> "$TMP/conf" <<-END

		[mailpipe]
		authserv_ids = mx.example.test

		[notify]
		from = Example Mail <mail@example.test>

		[route support]
		recipients = support@example.test
	END
	: > "$SINK/bodies"
	: > "$TMP/words"
	: > "$TMP/requests"
}

notice_set() { sed -i "s/^\[notify\]/[notify]\n$1 = $2/" "$TMP/conf"; }

# A mail of ann@x.example with these header fields more on top, one an argument.
mail() {
	[ $# -eq 0 ] || printf '%s\n' "$@"
	printf 'Received: from x.example\nFrom: Ann <ann@x.example>\nTo: support@example.test\n'
	printf 'Message-ID: <%s@x.example>\n' "${number:-1}"
	printf 'Subject: The invoice\n\nHello\n'
}

# The field that establishes that sender.
verified='Authentication-Results: mx.example.test; spf=pass (fine) smtp.mailfrom=x.example'

post() {
	"$BUILD/sbin/mailin" --config "$TMP/conf" --dry-run --sender "$1" --recipient support@example.test ||
		die "mailin: $?"
}

# Requests are in $TMP/requests, too.
notices() {
	"$BUILD/tests/it/notice_probe" "$TMP/conf" "$1" "$2" > "$TMP/new" 2>> "$TMP/words" || die "$(cat "$TMP/words")"
	cat "$TMP/new" >> "$TMP/requests"
	[ ! -s "$TMP/new" ] || publish < "$TMP/new"
}

made() { wc -l < "$TMP/requests"; }
words() { sort "$TMP/words" | uniq -c | sed 's/^ *//' | tr '\n' ',' | sed 's/,$//'; }

arrive() { "$BUILD/tests/it/ingest_probe" publish support || die 'publish'; }

# posters FIRST COUNT SECONDS SUBJECT: mails that came so long ago.  Number n has the id
# 00000000-0000-8000-8000-<n>, the queue id Q<n>, and is from poster<n>@x.example, whose domain is established.
posters() {
	mail "$verified" | post ann@x.example | jq -c \
		--argjson first "$1" --argjson count "$2" --argjson at "$(($(date +%s) - $3))" --arg subject "$4" '
		range($first; $first + $count) as $n
		| .MessageID = "00000000-0000-8000-8000-" + ("00000000000\($n)" | .[-12:])
		| .Subject = $subject
		| .Mailpipe.ReceivedAt = ($at | todate)
		| .Mailpipe.Envelope.QueueID = "Q\($n)"
		| .Mailpipe.MessageIDHeader = "\($n)@x.example"
		| .Mailpipe.Envelope.Sender = "poster\($n)@x.example"'
}
