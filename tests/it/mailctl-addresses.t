#!/bin/sh
# The table of addresses follows the routes, and the view answers Postfix's question.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
use_sandbox --only broker,database
mailctl_config
rows() { sql 'SELECT source, match_type, pattern, route FROM addresses ORDER BY source, match_type, pattern' | tr '\t' ' '; }
routes() { # replaces the routes by standard input
	sed -i '/^\[route/,$d' "$CONF"
	cat >> "$CONF"
}
# The question as postfix/recipients.cf asks it, with Postfix's own connection defaults.
answer() {
	sql_as postfix "SELECT route FROM recipients
		WHERE (match_type = 'exact' AND pattern = LOWER(CONVERT(CAST('$1' AS BINARY) USING utf8mb4)))
		OR (match_type = 'wildcard' AND LOWER(CONVERT(CAST('$1' AS BINARY) USING utf8mb4)) LIKE like_pattern)
		OR (match_type = 'regex' AND CONVERT(CAST('$1' AS BINARY) USING utf8mb4) REGEXP regex_pattern)
		LIMIT 1"
}

mailctl setup --only=mysql > /dev/null || die 'setup'
is "$(rows)" 'config exact help@example.test support
config exact support@example.test support
config wildcard *@inbox.example.test inbox
config regex /^order-[0-9]+@example\.test$/ orders' 'as in the config'
sql "INSERT INTO addresses (source, match_type, pattern, route) VALUES ('manual', 'exact', 'hand@example.test', 'support')"

routes <<'END'
[route inbox]
recipients = help@example.test, A_B%c*@in_box.example.test
	Grüße@Bücher.example
[route support]
recipients = help@example.test
[route orders]
recipients = /^Order-[0-9]+@example\.test$/
END
like "$(mailctl setup --only=mysql)" '^mysql: addresses: 6 added, 1 changed, 3 removed, 0 already there$' \
	'changes are told'
is "$(rows)" 'config exact grüsse@bücher.example inbox
config exact grüsse@xn--bcher-kva.example inbox
config exact grüße@bücher.example inbox
config exact grüße@xn--bcher-kva.example inbox
config exact help@example.test inbox
config wildcard a_b%c*@in_box.example.test inbox
config regex /^Order-[0-9]+@example\.test$/ orders
manual exact hand@example.test support' 'and made; the first of equal patterns wins; a row made by hand stays'

is "$(answer HELP@example.test)" inbox 'exact, whatever its case'
is "$(answer 'a_b%cXYZ@in_box.example.test')" inbox 'wildcard'
is "$(answer 'aXb%cXYZ@in_box.example.test')" '' 'in which _ is no wildcard'
is "$(answer 'a_bXcXYZ@in_box.example.test')" '' 'and % is none'
is "$(answer order-12@EXAMPLE.test)" orders 'regular expression, whatever its case'
is "$(answer order-x@example.test)" '' 'that does not match'
is "$(answer hand@example.test)" support 'by hand'
is "$(answer GRÜSSE@bücher.example)" inbox 'with its case folded, as Postfix asks'
is "$(answer grusse@bücher.example)" '' 'another word'
is "$(answer GRÜßE@Bücher.example)" inbox 'international, as UTF-8'
is "$(answer grüße@xn--bcher-kva.example)" inbox 'international, as A-label'
is "$(answer nobody@example.test)" '' 'unknown'

# mailin's PCRE2 takes (*UCP), but only at the very beginning, which is not ours in the database.
before=$(rows)
routes <<'END'
[route orders]
recipients = new@example.test, /(*UCP)^order/
END
out=$(mailctl setup --only=mysql)
is $? 1 'an expression that the database does not understand is an error'
like "$out" '^mailctl: mysql: \[route orders\] /\(\*UCP\)\^order/: database error 1139: ' 'that names it'
is "$(rows)" "$before" 'and changes no address'

sql "DELETE FROM addresses WHERE pattern LIKE 'a_b%'"
routes <<'END'
[route inbox]
recipients = help@example.test
[route support]
recipients = missing@example.test, missing2@example.test
END
like "$(mailctl check)" '^error    mysql addresses: Postfix would refuse mail for 2 of 3 patterns of the routes, such as missing@example.test of route support; run mailctl setup$' \
	'check tells what is missing'
done_testing
