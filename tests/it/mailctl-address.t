#!/bin/sh
# mailctl address: adds what the config routes and nothing else, shows a token once, rotates and removes.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
use_sandbox --only broker,database
mailctl_config
sed -i '/^\[route/,$d' "$CONF"
cat >> "$CONF" <<'END'
[route photos]
recipients = photos@example.test, *@albums.example.test
require = token
[route members]
recipients = members@bücher.example
require = registered
[route orders]
recipients = /^order-[0-9]+@example\.test$/
[route open]
recipients = help@example.test
END
mailctl setup --only=mysql > /dev/null || die 'setup'

address() { mailctl address "$@"; }
refuses() { # STATUS PATTERN NAME ARGUMENT ...
	want=$1 pattern=$2 name=$3
	shift 3
	out=$(address "$@")
	is $? "$want" "refused: $name"
	like "$out" "$pattern" "with the reason: $name"
}
registered() { sql "SELECT CONCAT_WS(' ', address, route, COALESCE(owner_id, '-'), needs_token, proof) FROM registered_addresses ORDER BY id"; }

is "$(sql 'SELECT COUNT(*) FROM addresses')" 2 'patterns of closed routes are not taken by Postfix'
like "$(mailctl check)" '^ok       mysql addresses: all 2 patterns of the routes are there$' 'and check does not miss them'

refuses 1 '^mailctl: address: nobody@example.test: no route of .* takes it$' 'no route' add nobody@example.test --token
refuses 1 'sends it to the route photos, not to open$' 'another route' add photos@example.test --token --route=open
refuses 1 'takes mail with a token only \(--token\)$' 'without a token' add photos@example.test --sender='*'
refuses 1 'who may post\?' 'nobody may post' add help@example.test
refuses 1 ': without what follows the delimiter, please: photos@example.test$' 'an extension' add photos+x@example.test --token
refuses 1 'no route of .* takes it$' 'an expression that matches no token' add order-1@example.test --token
refuses 1 ': no address$' 'a pattern' add '*@albums.example.test' --token
refuses 1 ': no address$' 'a quote' add "a\"b@albums.example.test" --token
refuses 64 '--sender: @example.net is none of' 'half an address' add help@example.test --sender=@example.net
refuses 64 '--sender: a@b@c is none of' 'two of them' add help@example.test --sender=a@b@c
refuses 64 '--sender: \*@\*.example.net is none of' 'a pattern of domains' add help@example.test --sender='*@*.example.net'
refuses 64 '--valid-until: that has passed' 'the past' add help@example.test --sender='*' --valid-until=2020-01-01
refuses 64 '--valid-until: a date is' 'no date' add help@example.test --sender='*' --valid-until=tomorrow
refuses 64 'which\?$' 'two ends' add help@example.test --sender='*' --valid-until=2999-01-01 --valid-for=1d
refuses 64 'control characters' 'a control character' add help@example.test --sender='*' --owner="$(printf 'a\033b')"
refuses 1 'no address is registered as number 7, see mailctl address list$' 'no such id' rotate 7
refuses 64 'is a number' 'no id' remove photos@example.test
refuses 64 'address: ad: add, list, rotate or remove' 'no such verb' ad help@example.test
is "$(registered)" '' 'nothing was added'

owner=$(printf '%0255d' 0)
out=$(address add help@example.test --sender='*' --owner="$owner")
is "$?" 0 'an owner of 255 characters'
refuses 64 'no more than 255 characters' 'one more' add help@example.test --sender='*' --owner="${owner}0"
many() { i=0; while [ $i -lt "$1" ]; do i=$((i + 1)); echo "--sender=s$i@example.net"; done; }
# shellcheck disable=SC2046
address add help@example.test $(many 100) > /dev/null
is "$? $(sql 'SELECT COUNT(*) FROM registered_senders WHERE registered_id = 2')" '0 100' 'a hundred senders'
# shellcheck disable=SC2046
refuses 64 'no more than 100$' 'one more' add help@example.test $(many 101)
sql 'DELETE FROM registered_addresses'

out=$(address add Photos@Example.test --token --owner=ann --sender=Ann@Example.net --sender='*@friends.example' \
	--label='Ann, "the" photographer' --proof=dmarc --valid-until=2999-12-31 --json)
is $? 0 'added'
token=$(echo "$out" | jq -r .Token)
id=$(echo "$out" | jq .ID)
like "$token" '^[a-z2-7]{26}$' 'a token'
is "$(echo "$out" | jq -c 'del(.ID, .Token, .TokenAddress, .CreatedAt)')" \
	'{"Address":"photos@example.test","Route":"photos","Routed":true,"Owner":"ann","Senders":["*@friends.example","ann@example.net"],"NeedsToken":true,"Tokens":1,"Proof":"dmarc","ValidUntil":"2999-12-31T00:00:00.000Z","Valid":true,"Label":"Ann, \"the\" photographer"}' \
	'and the rest'
is "$(echo "$out" | jq -r .TokenAddress)" "photos+$token@example.test" 'the address to give'
is "$(mariadb-dump --defaults-file="$MYSQL_ROOT_CNF" "$MYSQL_DATABASE" | grep -ci "$token")" 0 'the token is nowhere in the database'
is "$(sql 'SELECT HEX(token_hash) FROM registered_tokens')" "$(printf %s "$token" | sha256sum | cut -d' ' -f1 | tr a-f A-F)" \
	'but its digest'
unlike "$(address list; address list --json)" "$token" 'and is not shown again'
is "$(address list --json | jq -c '[.Addresses[] | .Address, .Tokens]')" '["photos@example.test",1]' 'list, as JSON'
like "$(address list photos@EXAMPLE.test)" "^ *$id  photos@example.test  photos  ann    \\*@friends.example ann@example.net       1  dmarc  2999-12-31 00:00:00.000  Ann" 'as text'

out=$(address rotate "$id" --grace=1h --json)
is "$? $(echo "$out" | jq .Tokens)" '0 2' 'rotated, with a time of grace'
second=$(echo "$out" | jq -r .Token)
is "$([ "$second" != "$token" ] && echo "$second" | grep -Ec '^[a-z2-7]{26}$')" 1 'another token'
is "$(sql 'SELECT COUNT(*) FROM registered_tokens WHERE valid_until BETWEEN UTC_TIMESTAMP() AND UTC_TIMESTAMP() + INTERVAL 61 MINUTE')" \
	1 'the old one has an end'
like "$(address rotate "$id")" "^rotated $id: photos\\+[a-z2-7]{26}@example.test\$" 'rotated at once'
is "$(address list --json | jq '.Addresses[0].Tokens')" 1 'then only the new one is good'

address add members@Bücher.example --sender=jörg@BÜCHER.example > /dev/null
is "$(sql "SELECT address, address_utf8, sender, lookup FROM registered_addresses JOIN registered_senders ON registered_id = id WHERE route = 'members'" | tr '\t' '|')" \
	'members@xn--bcher-kva.example|members@bücher.example|jörg@xn--bcher-kva.example|jörg@xn--bcher-kva.example members@xn--bcher-kva.example' \
	'international'
address add GRÜẞE@albums.example.test --token > /dev/null
is "$(sql "SELECT address, address_utf8 FROM registered_addresses WHERE address LIKE 'gr%'" | tr '\t' '|')" \
	'grüße@albums.example.test|grüsse@albums.example.test' 'a sharp s, as Postfix asks for it'
sql "UPDATE registered_addresses SET valid_until = '2026-01-02 03:04:05.678' WHERE address LIKE 'gr%'"
sharp=$(address list grüße@albums.example.test --json | jq '.Addresses[0].ID')
refuses 1 "^mailctl: address: $sharp was valid until 2026-01-02 03:04:05.678 \\(UTC\\): remove it, and add it again\$" \
	'a token for what has ended' rotate "$sharp"
is "$(sql "SELECT COUNT(*) FROM registered_tokens WHERE registered_id = $sharp")" 1 'it has no other one'
address remove "$sharp" > /dev/null
members=$(address list members@bücher.example --json | jq '.Addresses[0].ID')
refuses 1 "^mailctl: address: $members has no token\$" 'nothing to rotate' rotate "$members"
is "$(address list --route=members --json | jq '.Addresses | length'),$(address list --owner=ann --json | jq '.Addresses | length')" \
	1,1 'list by route and owner'
like "$(address remove "$members")" "^removed $members: members@xn--bcher-kva.example\$" 'removed'
is "$(sql 'SELECT COUNT(*) FROM registered_senders')" 2 'with its senders'
sed -i 's/^recipients = photos@example.test, /recipients = /' "$CONF"
is "$(address list --json | jq '.Addresses[0].Routed')" false 'the config routes it no more'
like "$(address list)" 'photos \(not routed\)' 'which is told'
printf '[route all]\nrecipients = *@bücher.example\n' >> "$CONF"
like "$(mailctl check)" '^warning  mysql addresses: Postfix takes members@bücher.example of the closed route members from anyone, for the route all takes it, too' \
	'check tells of an open route that takes the address of a closed one'
done_testing
