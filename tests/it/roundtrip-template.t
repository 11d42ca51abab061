#!/bin/sh
# Each shipped template with its sample goes out through Postfix and comes back in by the pipe as it was rendered.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
. "$(dirname "$0")/../lib/roundtrip.sh"
use_pipeline
mailctl() { "$BUILD/bin/mailctl" -c "$CONFIG" "$@"; }

# The message that mailout would send for a request, by an independent parser: subject, text, html as JSON.
expected() {
	"$BUILD/sbin/mailout" -c "$CONFIG" --dry-run | python3 -c '
import email, email.policy, json, sys
mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
def body(kind):
    part = mail.get_body([kind])
    return part.get_content().replace("\r\n", "\n") if part else ""
print(json.dumps({"subject": mail["Subject"], "text": body("plain"), "html": body("html"), "auto": mail["Auto-Submitted"]}))'
}

for folder in "$TREE"/templates/[a-z]*/; do
	template=$(basename "$folder")
	for locale in '' de; do
		name="$template${locale:+ in $locale}:"
		sample=$folder${locale:+/$locale}/template.json
		[ -r "$sample" ] || sample=$folder/template.json
		jq -e .Sample "$sample" > "$TMP/model" || jq .Sample "$folder/template.json" > "$TMP/model"
		set -- --template "$template" --model "$TMP/model" --to support+template@example.test ${locale:+--locale "$locale"}
		mailctl send --dry-run "$@" | expected > "$TMP/expected"
		# shellcheck disable=SC2034 # came and row use it
		id=$(mailctl send "$@")
		ok "$name it comes back" came support+template@example.test
		row support+template@example.test > "$TMP/row"
		is "$(field .subject)" "$(jq -cS .subject "$TMP/expected")" "$name subject"
		is "$(field .text)" "$(jq -cS .text "$TMP/expected")" "$name text"
		is "$(field .html)" "$(jq -cS .html "$TMP/expected")" "$name HTML"
		is "$(field '[.auto, .defects]')" '["loop",[]]' "$name it is known as ours, no defects"
	done
done
done_testing
