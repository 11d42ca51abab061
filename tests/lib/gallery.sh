# shellcheck shell=sh disable=SC2154
# For tests of galleries and of what routes take; after tap.sh, ingest.sh and use_sandbox:
#
#	gallery_setup KEY=VALUE...		ingest_setup; route photos has these parameters
#	gallery_use KEY=VALUE...		and now these instead; nothing is acknowledged
#	posts RECIPIENT [photo-mail's arguments]	a mail of ann@x.example is in mail.in.photos, queue id Q1 and so on
#	photos COLUMNS				of all rows of gallery_photos, in the order of mails and positions

gallery_setup() {
	ingest_setup
	sed -i '/^\[route /,$d' "$TMP/conf"
	printf '\n[mailpipe]\nauthserv_ids = mx.example.test\n\n[mailout]\ntemplates = %s/templates\n\n' "$TREE" \
		>> "$TMP/conf"
	gallery_use "$@"
	"$BUILD/bin/mailctl" --config "$TMP/conf" setup >> "$TMP/setup.log" 2>&1 ||
		die "mailctl setup: $(cat "$TMP/setup.log")"
}

gallery_use() {
	sed -i '/^\[route photos\]/,$d' "$TMP/conf"
	{
		printf '[route photos]\nrecipients = photos@example.test *@photos.example.test\nacknowledge = no\n'
		for key in "$@"; do
			printf '%s\n' "$key" | sed 's/=/ = /'
		done
	} >> "$TMP/conf"
}

number=0
posts() {
	number=$((number + 1))
	recipient=$1
	shift
	"$TREE/tests/lib/photo-mail" "$@" > "$TMP/mail" || die 'photo-mail'
	"$BUILD/sbin/mailin" -c "$TMP/conf" --dry-run --queue-id "Q$number" --sender ann@x.example \
		--recipient "$recipient" < "$TMP/mail" > "$TMP/document" || die "mailin: $?"
	jq -c . "$TMP/document" | probe publish photos || die 'publish'
}

photos() {
	sql "SELECT $1 FROM gallery_photos JOIN (SELECT id AS mail, queue_id, received_at FROM messages) m ON mail = message_id
		ORDER BY queue_id, position"
}
