#!/bin/sh
# shellcheck disable=SC2016
# mailpipe-postfix changes an instance's config idempotently, says what, and refuses conflicts.
. "$(dirname "$0")/../lib/tap.sh"
plan 22
postfix=$TMP/postfix
mkdir "$postfix"
postconf -M > "$postfix/master.cf" 2> /dev/null || : > "$postfix/master.cf"
printf 'compatibility_level = 3.6\nmydestination = localhost, other.test\nqueue_directory = %s\n' "$TMP" > "$postfix/main.cf"
printf '%s\n' 'p\w &|/$1 @user@' > "$TMP/password"
cat > "$TMP/mailpipe.conf" <<END
[mysql]
hosts = localhost, db2.test:3307
postfix_password_file = $TMP/password
[limits]
message_size = 10M
[route a]
recipients = help@one.test *@two.test /^x@three\\.test\$/
END

apply() {
	"$TREE/postfix/mailpipe-postfix" -c "$postfix" --config "$TMP/mailpipe.conf" --user nobody --mailin /bin/true \
		"$@" > "$TMP/said" 2>&1
	status=$?
}
# Postfix's tools wait before they read a main.cf that was just changed.
settle() { touch -d '1 minute ago' "$postfix/main.cf" "$postfix/master.cf"; }
value() { postconf -c "$postfix" -h "$1"; }
sum() { find "$postfix" -type f -exec cksum {} + | sort; }
settle

before=$(sum)
apply --print
is "$status $(sum)" "0 $before" '--print changes nothing'
like "$(cat "$TMP/said")" '^main\.cf: enable_long_queue_ids: .* -> yes$' 'but says what it would change'
unlike "$(cat "$TMP/said")" 'p.w' 'and not the password'

apply
is "$status" 0 'applied'
settle
is "$(value virtual_mailbox_domains)" "texthash:\$config_directory/mailpipe/domains" 'the domains'
is "$(grep -v '^#' "$postfix/mailpipe/domains")" "one.test	mailpipe:
two.test	mailpipe:" 'are those of the routes'
is "$(value message_size_limit)" $((10 * 1024 * 1024 - 16384)) 'the size limit is below that of mailin'
is "$(sed -n 's/^password = //p' "$postfix/mailpipe/recipients.cf")" 'p\w &|/$1 @user@' 'any password'
is "$(sed -n 's/^hosts = //p' "$postfix/mailpipe/recipients.cf")" 'inet:127.0.0.1 inet:db2.test:3307 ' \
	'the hosts of the database'
is "$(stat -c '%a %U %G' "$postfix/mailpipe/recipients.cf")" '640 root postfix' 'which Postfix alone reads'
is "$(postconf -c "$postfix" -P mailpipe/unix/pipe_delivery_status_filter)" \
	"mailpipe/unix/pipe_delivery_status_filter = regexp:\$config_directory/mailpipe/delivery-status" 'the service'

before=$(sum)
apply
is "$status $(tail -n 1 "$TMP/said") $(sum)" "0 nothing to change $before" 'again: nothing to change'

postconf -c "$postfix" -e message_size_limit=5000 delay_warning_time=1h
settle
apply
is "$(value message_size_limit) $(value delay_warning_time)" '5000 1h' "the operator's own values are left"

apply other.test
is "$status" 1 'a domain that is local already: refused'
like "$(cat "$TMP/said")" '^warning: other\.test is in mydestination' 'with the reason'

apply --remove
is "$status" 0 'removed'
settle
is "$(postconf -c "$postfix" -n | grep -c 'mailpipe[_/]') $(postconf -c "$postfix" -M | grep -c mailpipe) $(ls "$postfix")" \
	"0 0 main.cf
master.cf" 'without a trace'

postconf -c "$postfix" -e virtual_mailbox_domains=theirs.test
settle
apply
is "$status" 1 'other virtual domains without a map of their addresses: refused'
like "$(cat "$TMP/said")" '^warning: virtual_mailbox_domains has theirs\.test and' 'with the reason'
postconf -c "$postfix" -e virtual_mailbox_maps=hash:/etc/theirs
settle
apply
settle
is "$(value virtual_mailbox_domains)" "theirs.test, texthash:\$config_directory/mailpipe/domains" 'with one: ours are added'
is "$(value virtual_mailbox_maps)" "hash:/etc/theirs, proxy:mysql:\$config_directory/mailpipe/recipients.cf" 'behind theirs'
apply --remove
settle
is "$(value virtual_mailbox_domains) $(value virtual_mailbox_maps)" 'theirs.test hash:/etc/theirs' 'and taken out again'
