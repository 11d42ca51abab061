#!/bin/sh
# A route that takes tokens only: what has none is refused at RCPT time, what has one is its owner's, and the
# token is in no log of ours and in no row.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/pipeline.sh"
use_pipeline
mailctl() { "$SANDBOX_DIR/usr/bin/mailctl" -c "$CONFIG" "$@"; }
add() { mailctl address add "$@" --json; }
# owner_of QUEUEID: the owner, recipient and mailbox hash of what was stored, once it is.
owner_of() {
	rows_become 1 "queue_id = '$1'" || return
	sql "SELECT CONCAT_WS(' ', COALESCE(owner_id, '-'), recipient, CONCAT('<', mailbox_hash, '>')) FROM messages WHERE queue_id = '$1'"
}
post() { send --exact --from poster@example.net --header "To: $TAG@example.net" --subject "$TAG" "$@"; }
taken() { # OWNER NAME RECIPIENT [OPTION ...]
	want=$1 name=$2
	shift 2
	posted=$(post "$@")
	is "$(owner_of "$posted")" "$want" "$name"
}
refused() { like "$(post "$1")" '^550 5\.1\.1 ' "refused: $2"; }
# What Postfix is told: the route, or nothing.
asked() { postmap -c "$POSTFIX_CONFIG" -q "$1" "mysql:$POSTFIX_CONFIG/mailpipe/recipients.cf"; }
unknown() { is "$(asked "$1")" '' "not known: $2"; }

made=$(add members@example.test --token --owner="owner-$TAG") || die 'mailctl address add'
id=$(echo "$made" | jq .ID)
token=$(echo "$made" | jq -r .Token)
upper=$(echo "$token" | tr a-z2-7 A-Z2-7)
mine="owner-$TAG members@example.test <>"

refused members@example.test 'no token'
unknown members+@example.test 'an empty one'
refused members+aaaaaaaaaaaaaaaaaaaaaaaaaa@example.test 'an unknown one'
refused "members+${token%?}@example.test" 'cut by a character'
unknown "members+${token#?}@example.test" 'cut at its begin'
unknown "members+a$token@example.test" 'a character more'
unknown "members+${token}a@example.test" 'a character more at its end'
unknown "members+$token@shop.example.test" 'another domain of ours'
unknown "nobody+$token@example.test" 'another address'
unknown "members$token@example.test" 'no delimiter'
taken "$mine" 'a token' "members+$token@example.test"
taken "$mine" 'in upper case' "MEMBERS+$upper@EXAMPLE.TEST"
taken "$mine" 'with punctuation behind it' "\"members+$token.\"@example.test"
taken "$mine" 'URL-encoded' "members%2B$token@example.test"
taken "$mine" 'in lower hexadecimal' "members%2b$token@example.test"
like "$(post "members+$token%3D@example.test")" '^554 5\.7\.1 ' 'another percent sign: Postfix takes it for a route'

# The reply address of a thread: of the address that it was made for, and of no other, whose mail could only be
# returned to whomever its envelope names.
thread=$(echo "$token" | tr b-y c-z)
sql "INSERT INTO threads (id, route, subject, created_at, last_at) VALUES (UNHEX(MD5('$thread')), 'members', '$TAG', NOW(), NOW())"
sql "INSERT INTO thread_tokens (token_hash, thread_id, address)
	VALUES (UNHEX(SHA2('$thread', 256)), UNHEX(MD5('$thread')), 'members@example.test')"
is "$(asked "members+$thread@example.test")" members 'a reply address'
is "$(asked "Members+$(echo "$thread" | tr a-z2-7 A-Z2-7)..@Example.test")" members 'as mail programs change it'
unknown "nobody+$thread@example.test" 'its token at another address'
unknown "members+a$thread@example.test" 'a character more'
unknown "members$thread@example.test" 'without a delimiter'
unknown "members+$thread@shop.example.test" 'at another domain of ours'
sql "UPDATE thread_tokens SET valid = FALSE WHERE thread_id = UNHEX(MD5('$thread'))"
unknown "members+$thread@example.test" 'that is valid no more'
sql "DELETE FROM threads WHERE id = UNHEX(MD5('$thread'))"

# Injection through the extension.
before=$(sql 'SELECT COUNT(*) FROM registered_tokens')
long=$(printf '%0200d' 0)
is "$(asked "members+$token@example.test")" members 'known: the token'
for extension in "' OR 1=1 -- " "') UNION SELECT 'x' -- " '%s' '%%' '%n%n%n' "\\" "\\\\'" "$token' OR '1" "\\$token$token" \
	'*' '%' '_' '.*' '[a-z2-7]{26}' "$long" "$token$token$token" "$(printf 'a\001b')"; do
	unknown "members+$extension@example.test" "$(printf %s "$extension" | tr -d '\001')"
done
refused "\"members+' OR 1=1 -- \"@example.test" 'SQL, by SMTP'
is "$(sql 'SELECT COUNT(*) FROM registered_tokens')" "$before" 'and nothing happened'

# The token is in no row and no line of ours.  (Postfix logs what it is sent; that is not ours to mask.)
quoted=$(post "members+$token@example.test" --header "To: Members <members+$upper@example.test>" \
	--header "References: <x.$token@example.net>" --body "Write to members+$token@example.test or mailto:members%2B$token%40example.test")
is "$(owner_of "$quoted")" "$mine" 'a mail that quotes the token'
is "$(sql "SELECT COUNT(*) FROM messages WHERE queue_id = '$quoted' AND LOWER(CONCAT_WS(' ', recipient, mailbox_hash, sender, to_json, headers,
	text_body, html_body, text_reply, text_quote, subject, reference_ids)) LIKE '%$token%'")" 0 'in no column'
like "$(sql "SELECT text_body FROM messages WHERE queue_id = '$quoted'")" \
	'^Write to members\+\*{26}@example.test or mailto:members%2B\*{26}%40example.test' 'asterisks in its place'
is "$(grep -ci "$token" "$SANDBOX_DIR/log/ingest.log")" 0 "not in mailin-ingest's log"
row=$(sql "SELECT id FROM messages_readable WHERE queue_id = '$quoted'")
told=$(for key in "$quoted" "$row"; do
	mailctl trace --log="$POSTFIX_LOG" --postfix-config="$POSTFIX_CONFIG" "$key"
	mailctl trace --log="$POSTFIX_LOG" --postfix-config="$POSTFIX_CONFIG" --json "$key"
done; mailctl show "$row")
like "$told" '"To": "members@example\.test"' 'mailctl trace tells the address'
unlike "$told" "$token|$upper" 'without the token'

# Rotation.
second=$(mailctl address rotate "$id" --grace=1h --json | jq -r .Token)
taken "$mine" 'the new token' "members+$second@example.test"
taken "$mine" 'the old one within its grace' "members+$token@example.test"
third=$(mailctl address rotate "$id" --json | jq -r .Token)
refused "members+$second@example.test" 'a token that was replaced'
refused "members+$token@example.test" 'and the one before'
taken "$mine" 'the third' "members+$third@example.test"

# Senders.
one=$(add members@example.test --token --owner="one-$TAG" --sender=ann@example.net --sender='*@friends.example' | jq -r .Token)
quarantined() { [ "$(sql "SELECT COUNT(*) FROM quarantine WHERE subject = '$1'")" -eq 1 ]; }
taken "one-$TAG members@example.test <>" 'a sender by name' "members+$one@example.test" --header 'From: Ann <Ann@Example.net>'
taken "one-$TAG members@example.test <>" 'a sender by domain' "members+$one@example.test" --header 'From: bob@friends.example'
other=$(post "members+$one@example.test" --header 'From: mallory@example.net' --subject "$TAG other")
wait_for 30 quarantined "$TAG other"
is "$(count_rows "queue_id = '$other'")" 0 'another sender is put aside, token or not'

# Time.
sql "UPDATE registered_addresses SET valid_until = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE id = $id"
refused "members+$third@example.test" 'a token that has expired'
sql "UPDATE registered_addresses SET valid_until = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR WHERE id = $id"
taken "$mine" 'one that has not yet' "members+$third@example.test"

# An address with senders, without a token.
refused friends@example.test 'an address that is not registered'
friends=$(add friends@example.test --owner="friends-$TAG" --sender=ann@example.net --proof=none | jq .ID)
taken "friends-$TAG friends@example.test <>" 'a registered sender' friends@example.test --header 'From: ann@example.net'
taken "friends-$TAG friends+x@example.test <x>" 'at the address with an extension, which stays' friends+x@example.test --header 'From: ann@example.net'
mailctl address remove "$friends" > /dev/null
refused friends@example.test 'after it was removed'

# On an open route a token says whose the mail is, and none is needed.
open=$(add support@example.test --token --owner="open-$TAG" | jq -r .Token)
taken "open-$TAG support@example.test <>" 'open route: a token' "support+$open@example.test"
taken "- support+${open%?}@example.test <${open%?}>" 'a cut one is an extension like any other' "support+${open%?}@example.test"
taken '- support@example.test <>' 'no token' support@example.test
taken '- support+x@example.test <x>' 'an encoded delimiter' 'support%2Bx@example.test'

# Each part of Postfix's question finds its rows by an index.
map=$(sed -n '/^query/,$p' "$POSTFIX_CONFIG/mailpipe/recipients.cf" | sed 's/^query = //; s/%%/%/g; s/%s/members+'"$third"'@example.test/g')
explained=$(sql "EXPLAIN $map" | awk '$3 ~ /^(r|t|k)$/ { print $3, $4, $6 }' | sort -u)
is "$(echo "$explained" | grep -E ' (ALL|index) ')" '' 'no table is read as a whole'
is "$(echo "$explained" | grep '^t ')" 't const PRIMARY' 'a token is found by its digest'
is "$(sql "$map")" members 'it is the question that Postfix asks'
sql "DELETE FROM registered_addresses WHERE owner_id LIKE '%$TAG'"
done_testing
