#!/bin/sh
# mailctl send: what it publishes, as whom, and how it refuses what mailout would.
. "$(dirname "$0")/../lib/tap.sh"
use_sandbox --only broker,database
sed '/^from = /d' "$CONFIG" > "$TMP/conf"
mailctl() { "$BUILD/bin/mailctl" -c "$TMP/conf" "$@" 2>&1; }
refused() { mailctl send "$@"; echo "exit $?"; }
probe() { "$BUILD/tests/it/mailout_probe" "$@"; }
# Nobody consumes this virtual host's queues.
mailctl setup --only=amqp > "$TMP/setup" || die "$(cat "$TMP/setup")"

printf 'Grüße\n' > "$TMP/letter.txt"
printf '%%PDF-1.4\n' > "$TMP/invoice.pdf"
echo '{"customer": {"name": "Maria", "age": 30}, "rows": [1, 2.50]}' > "$TMP/model.json"

id=$(mailctl send --to 'Otto <otto@example.net>' --to b@example.net --cc=c@example.net --bcc d@example.net \
	--from shop@example.test --subject 'Café' --text "$TMP/letter.txt" --attach "$TMP/invoice.pdf" --tag t1)
is $? 0 'a literal mail is queued'
like "$id" '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$' 'its id is printed'
is "$(probe take mail.out.transactional | tail -n 1 | jq -cS .)" "$(jq -cnS --arg id "$id" '{MessageID: $id, MessageStream: "transactional",
	To: "Otto <otto@example.net>, b@example.net", Cc: "c@example.net", Bcc: "d@example.net", From: "shop@example.test", Subject: "Café",
	TextBody: "Grüße\n", Tag: "t1", Attachments: [{Name: "invoice.pdf", ContentType: "application/pdf", Content: "JVBERi0xLjQK"}]}')" \
	'the request says what the options said'

own=0197a3b2-0000-7000-8000-00000000000a
is "$(mailctl send --json --template ticket-received --locale de-AT --stream bulk --model "$TMP/model.json" -p customer.name=Jane \
	-p new.deep.flag:=true --id $own --to b@example.net | jq -c .)" \
	"{\"MessageID\":\"$own\",\"MessageStream\":\"bulk\",\"Queue\":\"mail.out.bulk\"}" 'a template, told as JSON'
is "$(probe take mail.out.bulk | tail -n 1 | jq -cS '[.TemplateAlias, .Locale, .MessageID, .TemplateModel]')" \
	"[\"ticket-received\",\"de-AT\",\"$own\",{\"customer\":{\"age\":30,\"name\":\"Jane\"},\"new\":{\"deep\":{\"flag\":true}},\"rows\":[1,2.5]}]" \
	'parameters from the file and one by one'
is "$(echo Hi | mailctl send --dry-run --from a@example.test --to b@example.net --subject s --text - | jq -r .TextBody)" Hi \
	'--dry-run prints the request, here from standard input'
is "$(probe count mail.out.transactional)" 0 'and publishes nothing'

thread=0197a3b2-0000-7000-8000-00000000000b
is "$(mailctl send --dry-run --thread $thread --from a@example.test --to b@example.net --subject s --text "$TMP/letter.txt" | jq -c .ReplyTo)" \
	"{\"Thread\":\"$thread\"}" '--thread: an answer in a ticket'
is "$(refused --to b@example.net --thread 17)" "$(printf 'mailctl: send: --thread: no UUID: "17"\nexit 64')" 'a number is no id of a thread'
is "$(refused --reply-to a@example.test --thread $thread)" "$(printf 'mailctl: send: --thread: once, and without --reply-to\nexit 64')" \
	'a thread has its own reply address'
is "$(refused --thread $thread --reply-to a@example.test)" "$(printf 'mailctl: send: --reply-to: not with --thread\nexit 64')" 'the other way round, too'

is "$(refused --to 'b@b@' --subject s --text "$TMP/letter.txt")" "$(printf 'mailctl: send: --to: no address: "b@b@"\nexit 64')" 'a bad address names --to'
is "$(refused --to b@example.net -p a=1 --template t --subject s)" "$(printf 'mailctl: send: --subject: the template makes it\nexit 64')" '--subject beside a template'
is "$(refused --to b@example.net -p a=1 --subject s --text "$TMP/letter.txt")" \
	"$(printf 'mailctl: send: --model and -p: without --template\nexit 64')" '-p without a template'
is "$(refused --to b@example.net --subject s --text "$TMP/letter.txt")" "$(printf 'mailctl: send: --from: missing, and mailout.from is empty\nexit 64')" 'no From anywhere'
is "$(refused --to b@example.net --subject s --text "$TMP/none")" "$(printf 'mailctl: send: --text %s/none: No such file or directory\nexit 1' "$TMP")" 'a missing file'
is "$(refused --to b@example.net --stream fast --subject s --text "$TMP/letter.txt")" "$(printf 'mailctl: send: --stream: no stream is named "fast"\nexit 64')" 'an unknown stream'
is "$(refused -p '=1')" "$(printf 'mailctl: send: -p =1: NAME=TEXT or NAME:=JSON expected\nexit 64')" 'a parameter without a name'
like "$(refused -p 'a:={')" '^mailctl: send: -p a: .*JSON|^mailctl: send: -p a: ' 'a parameter that is no JSON'
is "$(echo Hi | refused --to b@example.net --subject s --text - --html -)" \
	"$(printf 'mailctl: send: --html -: standard input was read already\nexit 64')" 'standard input for two files'
printf 'caf\351' > "$TMP/latin1"
is "$(refused --to b@example.net --subject s --text "$TMP/latin1")" "$(printf 'mailctl: send: --text %s/latin1: not UTF-8\nexit 64' "$TMP")" 'text that is not UTF-8'
sed "s/^hosts = .*/hosts = 127.0.0.1:1/" "$CONFIG" > "$TMP/away"
like "$("$BUILD/bin/mailctl" -c "$TMP/away" send --from a@example.test --to b@example.net --subject s --text "$TMP/letter.txt" 2>&1; echo "exit $?")" \
	'^exit 1$' 'a broker that is away is exit 1'
done_testing
