#!/bin/sh
# The guide in mailpipe-templates(7) works as it is printed.
. "$(dirname "$0")/../lib/tap.sh"
plan 5

# After ".It Pa FILE", the next literal block is that file.
mkdir -p "$TMP/site/welcome"
awk -v folder="$TMP/site/welcome" '
	/^\.Sh TEMPLATE FOLDERS/ { exit }
	/^\.It Pa / { file = folder "/" $3 }
	/^\.Bd -literal$/ { inside = file != ""; next }
	/^\.Ed/ { inside = 0; file = "" }
	inside { print > file }' "$TREE/man/mailpipe-templates.7"
is "$(ls "$TMP/site/welcome")" "html.mustache
subject.mustache
template.json
text.mustache" 'its files'
out=$("$BUILD/bin/mailctl" preview welcome --templates "$TMP/site" --templates "$TREE/templates" \
	-o "$TMP/page" 2>&1)
is "$out" "welcome: There is no de: its recipients get this one.
$TMP/page/index.html" 'are a template, in one language'
echo '{"name":"Grace"}' > "$TMP/model.json"
render() { "$BUILD/bin/mailctl" render --text "$TMP/site/welcome/$1.mustache" "$TMP/model.json"; }
is "$(render subject)" 'Welcome, Grace!' 'the subject'
is "$(render text)" 'Hello Grace,

it is good to have you here.' 'the text'
like "$(grep Begin "$TMP/page/index.html")" '&lt;a href=&quot;https://example.com/start&quot;' 'the button'
