#!/bin/sh
# mailctl dead export: bodies as they are, mails, and a manifest; nothing is taken away.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/dead.sh"
use_sandbox --only broker,database
dead_setup
fill 2 mail.in.support busy
raw=$(printf 'Subject: x\r\n\r\nHello\r\n' | base64 -w0)
printf '{"MessageID": "%s", "Mailpipe": {"Raw": "%s"}}' "$(id 3)" "$raw" > "$TMP/three"
dead_probe put mail.dead mail.in.support "$(id 3)" < "$TMP/three"
printf 'no \001 JSON' | dead_probe put mail.dead mail.in.support ../../../etc/passwd
is "$(ctl dead export "$TMP/out")" "4 of 4 dead letters exported, see $TMP/out/manifest.json" 'told'
odd=sha256-$(printf 'no \001 JSON' | sha256sum | cut -c1-16)
is "$(ls "$TMP/out")" "$(printf '%s.json\n%s.json\n%s.eml\n%s.json\nmanifest.json\n%s.body' "$(id 1)" "$(id 2)" "$(id 3)" "$(id 3)" "$odd")" \
	'the files, with no name that a producer chose'
ok 'a body, byte for byte' cmp "$TMP/three" "$TMP/out/$(id 3).json"
is "$(cat "$TMP/out/$(id 3).eml")" "$(printf 'Subject: x\r\n\r\nHello\r')" 'the mail'
is "$(jq -c '[.Complete, (.Messages | length), .Messages[2].MailFile, .Messages[0].Reason, .Messages[3].File]' "$TMP/out/manifest.json")" \
	"[true,4,\"$(id 3).eml\",\"busy\",\"$odd.body\"]" 'the manifest'
is "$(jq -r '.Messages[] | .Sha256 + "  " + .File' "$TMP/out/manifest.json" | (cd "$TMP/out" && sha256sum -c --quiet && echo fine))" fine 'has the digests'
is "$(stat -c %a "$TMP/out" "$TMP/out/manifest.json" "$TMP/out/$odd.body" | paste -sd ' ')" '700 600 600' 'not for everybody'
ctl dead export "$TMP/out" --reason=busy > /dev/null
is "$(find "$TMP/out" -mindepth 1 -maxdepth 1 | wc -l) $(jq '.Messages | length' "$TMP/out/manifest-2.json")" '7 2' 'again: another manifest, the same files'
is "$(waiting mail.dead)" 4 'all are still there'
ctl dead export /proc/nowhere/x > "$TMP/told" 2>&1
is "$?" 1 'a folder that cannot be'
like "$(cat "$TMP/told")" '^mailctl: dead export: /proc/nowhere/x: ' 'is told'
done_testing
