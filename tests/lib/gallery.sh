# shellcheck shell=sh disable=SC2154
# For tests of galleries and of what routes take; after tap.sh, ingest.sh and use_sandbox:
#
#	gallery_setup KEY=VALUE...		ingest_setup; route photos is a gallery, with these parameters
#	posts RECIPIENT [photo-mail's arguments]	a mail of ann@x.example is in mail.in.photos
#	photos COLUMNS				of all rows, in the order of mails and positions
#	dead					a line for each dead letter: status and reason

gallery_setup() {
	ingest_setup
	sed -i '/^\[route /,$d' "$TMP/conf"
	{
		printf '\n[mailpipe]\nauthserv_ids = mx.example.test\n'
		printf '\n[route photos]\nrecipients = photos@example.test *@photos.example.test\ntarget = gallery\n'
		gallery_keys "$@"
	} >> "$TMP/conf"
	"$BUILD/bin/mailctl" --config "$TMP/conf" setup >> "$TMP/setup.log" 2>&1 ||
		bail_out "mailctl setup: $(cat "$TMP/setup.log")"
}

gallery_keys() {
	for key in "$@"; do
		printf '%s\n' "$key" | sed 's/=/ = /'
	done
}

# Parameters of the route instead of those before.
gallery_use() {
	sed -i '/^target = gallery/,$d' "$TMP/conf"
	{
		echo 'target = gallery'
		gallery_keys "$@"
	} >> "$TMP/conf"
}

number=0
posts() {
	number=$((number + 1))
	recipient=$1
	shift
	"$TREE/tests/lib/photo-mail" "$@" > "$TMP/mail" || bail_out 'photo-mail'
	"$BUILD/sbin/mailin" -c "$TMP/conf" --dry-run --queue-id "Q$number" --sender ann@x.example \
		--recipient "$recipient" < "$TMP/mail" > "$TMP/document" || bail_out "mailin: $?"
	jq -c . "$TMP/document" | probe publish photos || bail_out 'publish'
}

photos() {
	sql "SELECT $1 FROM gallery_photos JOIN (SELECT id AS mail, queue_id, received_at FROM messages) m ON mail = message_id
		ORDER BY queue_id, position"
}

dead() {
	probe take mail.dead "$1" | sed -n 's/.*last-error=\(.*\)$/\1/p'
}
