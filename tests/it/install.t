#!/bin/sh
# What `make install` puts below DESTDIR works from there, and `make uninstall` takes all of it away.
. "$(dirname "$0")/../lib/tap.sh"
plan 11
quiet_make() { make -s -C "$TREE" B="$BUILD" DESTDIR="$TMP/root" prefix=/usr "$@" > "$TMP/said" 2>&1; }
ok 'installed' quiet_make install-built
usr=$TMP/root/usr
printf 'Subject: hello\n\nHello.\n' > "$TMP/mail"
is "$("$usr/sbin/mailin" --dry-run < "$TMP/mail" | jq -r .Subject)" hello 'mailin finds its parser'
like "$("$usr/sbin/mailin-ingest" --version)" '[0-9]\.[0-9]' 'mailin-ingest runs'
is "$("$usr/bin/mailctl" -c "$usr/share/mailpipe/mailpipe.conf.example" config | grep -c '^\[route ')" 2 \
	'the example config is one'
is "$(sh "$usr/share/mailpipe/postfix/mailpipe-postfix" --help | head -n 1)" \
	'usage: mailpipe-postfix [OPTION] ... [DOMAIN ...]' "Postfix's script is there"
is "$(cd "$TREE/man" && LC_ALL=C ls)" "$(find "$usr/share/man" -type f -exec basename {} \; | LC_ALL=C sort)" 'all manual pages'
is "$("$usr/bin/mailctl" preview --templates "$usr/share/mailpipe/templates" -o "$TMP/page" 2>&1)" "$TMP/page/index.html" \
	'the templates are whole'
is "$(cd "$TREE/mailin/targets" && ls)" "$(ls "$usr/share/mailpipe/targets")" 'all targets'
quiet_make uninstall
is "$(find "$TMP/root" -type f)" '' 'nothing is left after uninstall'
# A fresh system: what is missing is named, and what installs it.
out=$(make -C "$TREE" B="$TMP/build" PKGS=no-such-library 2>&1)
like "$out" 'no-such-library' 'a library that is missing is named'
like "$out" '^make: .* is missing: make deps ' 'and so is what installs it'
