#!/bin/sh
# A gallery refuses what has no photo, or too many, too large or unwanted files: the poster reads why, the mail is kept.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/gallery.sh"
use_sandbox --only broker,database
gallery_setup target=gallery attachments_max=3 attachment_size=862 'attachments_refuse=*.exe image/gif' attachments_other=refuse
# shellcheck disable=SC2154
posted() {
	posts photos@example.test --header 'Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=x.example' \
		--subject "Mail $((number + 1))" "$@"
}
# Q1 is at the bounds; then one past each of them, and all else that is refused.
posted exif-1.jpg rgb.png deep.png
posted exif-1.jpg rgb.png deep.png exif.png
posted xmp-first.jpg rgb.png
posted --text 'See the photo.'
posted 300:1,name=photo.jpg,type=image/jpeg
posted huge.png
posted rgb.png,name=Setup.EXE
posted rgb.png still.gif
posted rgb.png,type=image/gif
posted --header 'Accept-Language: de' xmp-first.jpg,name=Strand.jpg rgb.png
# Who is not known to have sent it is not written to.
posts photos@example.test --text 'Without a photo.'
ingest_start
is_dead() { [ "$(probe count mail.dead)" -ge 10 ]; }
wait_for 30 is_dead
stored 1
ingest_stop
is "$(photos 'queue_id, name')" "$(printf 'Q1\texif-1.jpg\nQ1\trgb.png\nQ1\tdeep.png')" 'what keeps to the limits is taken'
is "$(sed -n 's/.* \(Q[0-9]*\) .*event=dead .*status=\([0-9.]*\) reason=/\1 \2 /p' "$TMP/log")" \
	'Q2 5.6.0 "more attachments than the 3 that the route takes"
Q3 5.3.4 "the attachment \"xmp-first.jpg\" has more than the 862 bytes that the route takes"
Q4 5.6.1 "no photo for the gallery"
Q5 5.6.1 "the attachment \"photo.jpg\" is no photo"
Q6 5.6.1 "the attachment \"huge.png\" is no photo"
Q7 5.6.1 "the attachment \"Setup.EXE\" is not of a kind that the route takes"
Q8 5.6.1 "the attachment \"still.gif\" is not of a kind that the route takes"
Q9 5.6.1 "the attachment \"rgb.png\" is not of a kind that the route takes"
Q10 5.3.4 "the attachment \"Strand.jpg\" has more than the 862 bytes that the route takes"
Q11 5.6.1 "no photo for the gallery"' 'the log says why'
is "$(sql 'SELECT COUNT(*) FROM attachments') $(sql 'SELECT COUNT(*) FROM refused_attachments')" '3 0' 'nothing of them is stored'
is "$(sql "SELECT status, COUNT(*) FROM message_states GROUP BY status ORDER BY status")" "$(printf 'failed\t10\nstored\t1')" \
	'their states tell'
probe take mail.dead 10 | grep '^{' | jq -r '.Attachments | length' | paste -sd ' ' > "$TMP/counts"
is "$(cat "$TMP/counts")" '4 2 0 1 1 1 2 1 2 0' 'mail.dead has them with all that was attached'

# As mailout renders them.
is "$(probe count mail.out.transactional)" 9 'a notice for each sender who is known'
probe take mail.out.transactional 9 | grep '^{' > "$TMP/requests"
while read -r request; do
	printf '%s\n' "$request" | "$BUILD/sbin/mailout" -c "$TMP/conf" --dry-run > "$TMP/notice" || diag "$(cat "$TMP/notice")"
	python3 -c 'import email, email.policy, sys
mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
lines = mail.get_body(("plain",)).get_content().split("\n")
print(next(line for line in lines if line.startswith("  ")).strip())' < "$TMP/notice"
done < "$TMP/requests" > "$TMP/causes"
is "$(cat "$TMP/causes")" \
	'It has more files than the 3 that we take at this address.
“xmp-first.jpg” is larger than 862 bytes, the most that we take at this address.
There is no photo in it that we can show: JPEG, PNG, GIF, WebP, HEIC or AVIF.
“photo.jpg” is no photo that we can show: JPEG, PNG, GIF, WebP, HEIC or AVIF. Perhaps it is damaged.
“huge.png” is no photo that we can show: JPEG, PNG, GIF, WebP, HEIC or AVIF. Perhaps it is damaged.
We do not take files like “Setup.EXE” at this address.
We do not take files like “still.gif” at this address.
We do not take files like “rgb.png” at this address.
„Strand.jpg“ ist größer als 862 Byte; mehr nehmen wir unter dieser Adresse nicht an.' 'and says why'
done_testing
