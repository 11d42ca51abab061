#!/bin/sh
# A route takes what it allows: the mail is stored without the rest, of which a record tells, or refused as a whole.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/gallery.sh"
use_sandbox --only broker,database
gallery_setup 'attachments_allow=image/* text/* *.dat' 'attachments_refuse=image/gif *.html' attachments_max=2 \
	attachment_size=1000
taken() {
	sql "SELECT queue_id, position, name FROM attachments a JOIN messages m ON m.id = a.message_id ORDER BY queue_id, position"
}
refused() {
	sql "SELECT queue_id, position, name, content_type, detected_type, r.size, reason FROM refused_attachments r
		JOIN messages m ON m.id = r.message_id ORDER BY queue_id, position"
}
# Count, size and kind: at the limits and past them.
posts photos@example.test 1000:1,name=a.dat 1000:2,name=b.dat
posts photos@example.test 1001:3,name=a.dat 1000:4,name=b.dat rgb.png still.gif,name=c.png,type=image/png deep.png
posts photos@example.test rgb.png,name=page.html,type=image/png 100:5,name=data.bin
posts photos@example.test --text 'Nothing but text.'
ingest_start
stored 4
is "$(taken)" "$(printf '%s\t%s\t%s\n' Q1 0 a.dat Q1 1 b.dat Q2 1 b.dat Q2 2 rgb.png)" 'what is allowed is stored'
is "$(refused)" "$(printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	Q2 0 a.dat application/octet-stream application/octet-stream 1001 size \
	Q2 3 c.png image/png image/gif 662 type Q2 4 deep.png application/octet-stream image/png 266 count \
	Q3 0 page.html image/png image/png 153 name \
	Q3 1 data.bin application/octet-stream application/octet-stream 100 type)" 'what is refused is recorded'
is "$(sql 'SELECT COUNT(*) FROM blobs') $(sql 'SELECT COUNT(*) FROM refused_attachments r JOIN blobs b USING (sha256)')" \
	'4 1' 'without its bytes, unless another mail has the same'
is "$(sql "SELECT LENGTH(message_id), name, reason FROM refused_attachments_readable WHERE reason = 'name'")" \
	"$(printf '36\tpage.html\tname')" 'people can read it'
show() { "$BUILD/bin/mailctl" --config "$TMP/conf" show "$@"; }
id=$(sql "SELECT id FROM messages_readable WHERE queue_id = 'Q3'")
like "$(show "$id")" '^page\.html +153 +image/png +image/png +name +-$' 'mailctl show tells of it'
is "$(show --json "$id" | jq -c '.Mailpipe.RefusedAttachments[0] | [.Name, .ContentLength, .Reason]')" \
	'["page.html",153,"name"]' 'and in JSON'
id=$(sql "SELECT id FROM messages_readable WHERE queue_id = 'Q2'")
is "$(show --json "$id" | jq -c '.Attachments[1] | [.Name, .Image]')" \
	'["rgb.png",{"Width":48,"Height":32,"Orientation":1}]' 'and of images'
ingest_stop

gallery_use attachments_refused=reject attachments_max=1 attachments_refuse=image/gif
posts photos@example.test rgb.png
posts photos@example.test rgb.png deep.png
posts photos@example.test still.gif
ingest_start
stored 5
is_dead() { [ "$(probe count mail.dead)" -ge "$1" ]; }
wait_for 30 is_dead 2
ingest_stop
is "$(sed -n 's/.* \(Q[0-9]*\) .*event=dead .*status=\([0-9.]*\) reason=/\1 \2 /p' "$TMP/log")" \
	'Q6 5.6.0 "more attachments than the 1 that the route takes"
Q7 5.6.1 "the attachment \"still.gif\" is not of a kind that the route takes"' 'a route may refuse the mail'
is "$(taken | tail -n 1)" "$(printf 'Q5\t0\trgb.png')" 'and takes the others'

# Names within archives: refused and recorded, or the poster reads which it was.
archive() { python3 -c 'import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1])
from nasty_archives import *
sys.stdout.buffer.write(eval(sys.argv[2]))' "$TREE/tests/lib" "$1" > "$TMP/$2"; }
archive 'zip_of([b"a.txt", (b"fine.txt", b"dir/Run.EXE", b"123")])' bad.zip
archive 'zip_of([b"a.txt"])' good.zip
seven=$TREE/tests/archives
gallery_use attachments_refused=drop 'attachments_refuse=*.exe'
sql 'DELETE FROM messages'
posts photos@example.test "$TMP/bad.zip" "$TMP/good.zip" "$seven/hidden.7z" "$seven/locked.7z" "$seven/locked.zip,name=photo.jpg"
ingest_start
stored 1
ingest_stop
is "$(taken)" "$(printf 'Q8\t1\tgood.zip')" 'archives without such names are taken'
is "$(sql 'SELECT position, name, reason, entry_name, entry_size FROM refused_attachments_readable ORDER BY position')" \
	"$(printf '%s\t%s\t%s\t%s\t%s\n' 0 bad.zip name Run.EXE 3 2 hidden.7z archive NULL NULL 3 locked.7z name run.exe 300 \
	4 photo.jpg name run.exe 300)" 'others are recorded with the name in them'
id=$(sql "SELECT id FROM messages_readable WHERE queue_id = 'Q8'")
like "$(show "$id")" '^bad\.zip .* name +Run\.EXE *$' 'mailctl show tells it'
is "$(show --json "$id" | jq -c '.Mailpipe.RefusedAttachments[] | [.Name, .Reason, .Entry]')" '["bad.zip","name",{"Name":"Run.EXE","Size":3}]
["hidden.7z","archive",null]
["locked.7z","name",{"Name":"run.exe","Size":300}]
["photo.jpg","name",{"Name":"run.exe","Size":300}]' 'and in JSON'
gallery_use attachments_refused=reject 'attachments_refuse=*.exe' archives_unread=keep
posts photos@example.test "$seven/hidden.7z"
posts photos@example.test "$TMP/bad.zip"
ingest_start
stored 2
wait_for 30 is_dead 3
ingest_stop
is "$(taken | tail -n 1)" "$(printf 'Q9\t0\thidden.7z')" 'one that cannot be read is kept where the route says so'
like "$(cat "$TMP/log")" 'Q10 .*event=dead .*status=5.6.1 reason="the attachment \\"bad.zip\\" has in it \\"Run.EXE\\", which' \
	'a mail is refused with both names'

# A gallery that takes what it may: a logo of the HTML is no photo, an inline photo is one.
gallery_use target=gallery attachments_refused=drop attachments_max=2 attachments_other=ignore inline_side=48
sql 'DELETE FROM messages'
posts photos@example.test --html '<img src="cid:logo@x"><img src="cid:photo@x">' rgb.png,name=logo.png,cid=logo@x \
	plain.heic,name=inline.heic,cid=photo@x 100:6,name=notes.txt exif-1.jpg exif-2.jpg
posts photos@example.test --html '<img src="cid:logo@x">' rgb.png,name=logo.png,cid=logo@x
ingest_start
stored 1
wait_for 30 is_dead 4
ingest_stop
is "$(photos 'queue_id, name')" "$(printf 'Q11\tinline.heic\nQ11\texif-1.jpg')" 'photos of a gallery'
is "$(refused | cut -f 1-3,7)" "$(printf '%s\t%s\t%s\t%s\n' Q11 0 logo.png no-photo Q11 2 notes.txt no-photo Q11 4 exif-2.jpg count)" \
	'and what is none, or one too many'
like "$(cat "$TMP/log")" 'Q12 .*event=dead .*status=5.6.1 reason="no photo for the gallery"' 'a logo alone is no photo'
is "$(probe count mail.in.photos)" 0 'all are acknowledged'
done_testing
