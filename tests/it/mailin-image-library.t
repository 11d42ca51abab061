#!/bin/sh
# A library for images or archives that is not there is our fault: mails with such a file wait, all others pass.
. "$(dirname "$0")/../lib/tap.sh"
. "$TREE/tests/lib/mailin.sh"
[ -z "$SANITIZED" ] || skip_all 'a sanitizer looks for its library in the same places'
use_broker
own_parser
mkdir "$TMP/broken"
cat > "$TMP/tree/libexec/mailpipe/mailin-parse" <<-END
	#!/bin/sh
	LD_LIBRARY_PATH=$TMP/broken exec $BUILD/libexec/mailpipe/mailin-parse "\$@"
END
waits() { # LIBRARY IMAGE
	: > "$TMP/broken/$1"
	"$TREE/tests/lib/photo-mail" "$2" > "$TMP/mail"
	deliver < "$TMP/mail"
	is_result 75 '4.3.0 mailin-parse: exit status 75' "$2 without $1"
	rm "$TMP/broken/$1"
}
waits libjpeg.so.62 baseline.jpg
waits libexif.so.12 baseline.jpg
waits libpng16.so.16 rgb.png
waits libgif.so.7 still.gif
waits libwebpdemux.so.2 lossy.webp
waits libheif.so.1 plain.heic
waits libheif.so.1 plain.avif
waits libarchive.so.13 "$TREE/tests/archives/plain.7z"
is "$(waiting)" 0 'nothing is published'
: > "$TMP/broken/libheif.so.1"
"$TREE/tests/lib/photo-mail" rgb.png > "$TMP/mail"
deliver < "$TMP/mail"
is "$STATUS: $(waiting)" '0: 1' 'another image does without'
done_testing
