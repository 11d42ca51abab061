#!/bin/sh
# mailctl's exit statuses and what it says before it connects to anything.
. "$(dirname "$0")/../lib/tap.sh"
plan 23
CONF=$TMP/mailpipe.conf
mailctl() { "$BUILD/bin/mailctl" "$@" 2>&1; }

printf '[route a]\nrecipients = a@example.test\n' > "$CONF"
out=$(mailctl)
is $? 64 'no command'
like "$out" '^usage: mailctl \[-c FILE\] COMMAND' 'the usage'
out=$(mailctl frobnicate)
is $? 64 'an unknown command'
like "$out" '^mailctl: frobnicate: no such command$' 'is named'
out=$(mailctl check --frobnicate)
is $? 64 'an unknown option'
like "$out" "^mailctl: try .mailctl help check'$" 'tells where help is'
out=$(mailctl -c "$CONF" setup --only=smtp)
is $? 64 'a wrong --only'
out=$(mailctl -c "$CONF" setup extra)
is $? 64 'an argument too many'
out=$(mailctl help setup)
is $? 0 'help'
like "$out" '--only=mysql\|amqp' 'of a command'
is "$(mailctl setup --help; mailctl setup -h)" "$out
$out" 'the same behind the command'
is "$(mailctl dead list --help)" "$(mailctl help dead)" 'and behind a verb'
out=$(mailctl -c "$CONF" send --subject --help)
is $? 64 'as the value of an option it is none'
out=$(mailctl version)
is $? 0 'version'
like "$out" '^mailctl [0-9.]+, migrations up to [0-9]+$' 'of program and migrations'
out=$(mailctl -c "$TMP/none" check)
is $? 78 'no config'
is "$out" "mailctl: $TMP/none: No such file or directory" 'is told'
printf '[mysql]\nhosst = x\n' > "$TMP/bad"
out=$(mailctl check -c "$TMP/bad")
is $? 78 'a bad config'
is "$out" "mailctl: $TMP/bad:2: [mysql] hosst: unknown key" 'names file, line and key'
out=$(mailctl -c "$CONF" config)
is $? 0 'config'
mailctl -c "$CONF" config --help-all > "$TMP/all"
is "$(grep -c '^# ' "$TMP/all" | awk '{ print ($1 > 50) }')" 1 'config --help-all explains'
is "$(mailctl -c "$TMP/all" config)" "$out" 'what it prints is a config that means the same'
out=$(mailctl -c "$CONF" setup --print-rabbitmq)
like "$out" '^# mailpipe-publish: amqp.publish_password_file is not set$' 'setup --print-rabbitmq needs no broker'
