#!/bin/sh
# Photos of every format that are mailed to a gallery are rows, with album, caption and owner; each once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/gallery.sh"
use_sandbox --only broker,database
gallery_setup target=gallery

# Q1: names and types lie, and one of them is no photo.
posts photos+summer@example.test --subject 'The band' --text 'At sunset.' \
	exif-6.jpg,name=a.pdf,type=application/pdf 300:notes,name=notes.jpg,type=image/jpeg progressive.jpg \
	deep.png,name=x.exe animated.gif extended.webp rotated.heic,name=b.jpg,type=image/jpeg plain.avif
cp "$TMP/document" "$TMP/first"
# Q2 to Q5: captions and albums.
posts photos@example.test --subject ' Only a subject ' baseline.jpg
posts wedding@photos.example.test --text 'Only a text,
of two lines.' baseline.jpg
posts photos@example.test rgb.png
posts photos@example.test --subject 'Re: The band' --text 'Here are more.

On Sun, 22 Nov 2026 at 11:00, Tom <tom@y.example> wrote:
> Send us more!' rgb.png
# Q6 and Q7: whose address it is; a secret one.
hash=$(printf '%s' abcdefghjkmnpqrstuvwxyz234 | sha256sum | cut -d ' ' -f 1)
sql "INSERT INTO registered_addresses (id, address, address_utf8, route, owner_id, needs_token)
	VALUES (1, 'ann@photos.example.test', 'ann@photos.example.test', 'photos', 'user-17', FALSE),
		(2, 'photos@example.test', 'photos@example.test', 'photos', 'user-18', TRUE);
	INSERT INTO registered_senders (registered_id, sender, lookup)
	VALUES (1, 'ann@x.example', 'ann@x.example ann@photos.example.test'), (2, '*', '* photos@example.test');
	INSERT INTO registered_tokens (token_hash, registered_id) VALUES (UNHEX('$hash'), 2)"
posts ann@photos.example.test --subject 'Mine' rgb.png
posts photos+abcdefghjkmnpqrstuvwxyz234@example.test --subject 'Secret' rgb.png
ingest_start
stored 7
is "$(photos 'name, content_type, width, height, orientation, position' | head -n 7)" \
	"$(printf '%s\t%s\t%s\t%s\t%s\t%s\n' a.pdf image/jpeg 48 32 6 0 progressive.jpg image/jpeg 48 32 1 2 \
		x.exe image/png 48 32 1 3 animated.gif image/gif 48 32 1 4 extended.webp image/webp 48 32 6 5 \
		b.jpg image/heic 48 64 1 6 plain.avif image/avif 64 48 1 7)" \
	'a row for each photo by its content, whatever it is called'
is "$(sql "SELECT position, name, image_width IS NULL FROM attachments JOIN messages m ON m.id = message_id
	WHERE queue_id = 'Q1' AND attachments.id NOT IN (SELECT id FROM gallery_photos)")" "$(printf '1\tnotes.jpg\t1')" \
	'the other one is an attachment'
is "$(sql 'SELECT COUNT(*) FROM gallery_photos p JOIN attachments a ON a.id = p.id AND a.message_id = p.message_id
	AND a.sha256 = p.sha256 AND a.size = p.size AND a.position = p.position AND a.image_width = p.width
	AND a.image_height = p.height AND a.image_orientation = p.orientation JOIN blobs b ON b.sha256 = p.sha256
	AND SHA2(b.data, 256) = HEX(p.sha256)')" 13 'with id, digest and bytes of its attachment'
is "$(photos "queue_id, album, IFNULL(title, '-'), REPLACE(IFNULL(caption, '-'), '\n', '|'), IFNULL(owner_id, '-')" |
	uniq)" \
	"Q1	summer	The band	The band|At sunset.	-
Q2	photos	Only a subject	Only a subject	-
Q3	wedding	-	Only a text,|of two lines.	-
Q4	photos	-	-	-
Q5	photos	Re: The band	Re: The band|Here are more.	-
Q6	ann	Mine	Mine	user-17
Q7	photos	Secret	Secret	user-18" 'album of the address, caption of subject and text, owner of the registration'
is "$(photos 'route, from_email, from_name, posted_at = received_at, size > 0' | uniq)" \
	"$(printf 'photos\tann@x.example\tAnn\t1\t1')" 'who posted it, and when'
is "$(sql "SELECT shown_width, shown_height, name FROM gallery_photos_readable WHERE name IN ('a.pdf', 'b.jpg')
	ORDER BY name")" "$(printf '32\t48\ta.pdf\n48\t64\tb.jpg')" 'people see how it is shown'
unlike "$(sql 'SELECT * FROM gallery_photos_readable; SELECT recipient, mailbox_hash, headers FROM messages')" \
	'abcdefghjkmnpqrstuvwxyz234' 'the secret stands nowhere'

# The same mail again, as Postfix repeats it, and twice in one batch.
jq -c . "$TMP/first" "$TMP/first" | probe publish photos
settled() { [ "$(events duplicate)" -ge 2 ]; }
wait_for 30 settled
is "$(sql 'SELECT COUNT(*) FROM gallery_photos')" 13 'a repeat adds none'
# What stands with each of many photos is cut, between two characters.
posts photos@example.test --subject "$(printf 'ä%1000s' '' | sed 's/ /ä/g')" --text "$(printf '%10001s' '' | sed 's/ /ß/g')" rgb.png
stored 8
is "$(sql "SELECT CHAR_LENGTH(title), CHAR_LENGTH(caption), RIGHT(title, 1), RIGHT(caption, 1), CHAR_LENGTH(m.subject),
	CHAR_LENGTH(m.text_body) FROM gallery_photos p JOIN messages m ON m.id = p.message_id WHERE m.queue_id = 'Q8'")" \
	'1000	11001	ä	ß	1001	10001' 'title and caption have a limit'
ingest_stop
sql "DELETE FROM messages WHERE queue_id = 'Q1'"
is "$(sql 'SELECT COUNT(*) FROM gallery_photos')" 7 'photos go with their mail'
is "$(probe count mail.in.photos) $(probe count mail.dead)" '0 0' 'all are acknowledged'
done_testing
