#!/bin/sh
# mailctl setup --rabbitmqctl makes virtual host, users, passwords and rights; passwords are in no argv.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
own_sandbox --only broker,database
mailctl_config
sed -i "s/^vhost = .*/vhost = a vhost/; s/^publish_user = .*/publish_user = pub/
	s/^consume_user = .*/consume_user = con/; s/^setup_user = $AMQP_SETUP_USER/setup_user = set/
	s/^mailout_user = $AMQP_MAILOUT_USER/mailout_user = out/; s/^application_user = .*/application_user = app/" "$CONF"

# This rabbitmqctl notes its arguments.
cat > "$TMP/rabbitmqctl" <<END
#!/bin/sh
echo "\$*" >> "$TMP/argv"
exec "$SANDBOX" broker "$SANDBOX_DIR" "\$@"
END
chmod +x "$TMP/rabbitmqctl"
users() { mailctl setup --only=amqp --rabbitmqctl="$TMP/rabbitmqctl"; }
url() { echo "amqp://$1:$2@$AMQP_HOST:$AMQP_PORT/a%20vhost"; }

out=$(users)
is $? 0 'setup'
is "$(echo "$out" | grep -v exchange | grep -v queue | grep -v binding)" 'amqp: virtual host a vhost: created
amqp: user pub: created
amqp: rights of user pub: created
amqp: user con: created
amqp: rights of user con: created
amqp: user out: created
amqp: rights of user out: created
amqp: user app: created
amqp: rights of user app: created
amqp: user set: created
amqp: rights of user set: created
errors: 0, warnings: 0' 'makes virtual host, users and rights'
for role in publish consume broker-mailout application setup; do
	unlike "$(cat "$TMP/argv")" "$(cat "$SECRETS/$role.pw")" "the password of $role is in no argv"
done
out=$(users)
is "$(echo "$out" | grep -E 'user|virtual' | grep -vc 'already there$')" 0 'the second time all is there'

# What each may do.
publish=$(url pub "$(cat "$SECRETS/publish.pw")")
consume=$(url con "$(cat "$SECRETS/consume.pw")")
echo x | amqp-publish -u "$publish" -e mail.in -r support
is $? 0 'publish may publish'
like "$(amqp-get -u "$publish" -q mail.in.support 2>&1)" 'ACCESS_REFUSED' 'but not read'
like "$(amqp-declare-queue -u "$publish" -d -q mail.x 2>&1)" 'ACCESS_REFUSED' 'nor declare'
is "$(amqp-get -u "$consume" -q mail.in.support)" x 'consume may read'
like "$(amqp-get -u "$consume" -q mail.dead 2>&1)" 'ACCESS_REFUSED' 'but not the dead letters'
for exchange in mail.out mail.retry.5m mail.dead mail.events; do
	ok "and publish to $exchange" amqp-publish -u "$consume" -e $exchange -r none -b z
done
like "$(echo x | amqp-publish -u "$consume" -e mail.in -r support 2>&1)" 'ACCESS_REFUSED' 'but not to mail.in'
like "$(amqp-declare-queue -u "$consume" -d -q mail.in.x 2>&1)" 'ACCESS_REFUSED' 'nor declare'

mailout=$(url out "$(cat "$SECRETS/broker-mailout.pw")")
application=$(url app "$(cat "$SECRETS/application.pw")")
echo y | amqp-publish -u "$application" -e mail.out -r bulk
is $? 0 'an application may publish requests'
like "$(echo x | amqp-publish -u "$application" -e mail.events -r x 2>&1)" 'ACCESS_REFUSED' 'but no events'
like "$(amqp-get -u "$application" -q mail.out.bulk 2>&1)" 'ACCESS_REFUSED' 'nor read requests'
is "$(amqp-get -u "$mailout" -q mail.out.bulk)" y 'mailout may read requests'
for exchange in mail.retry.5m mail.dead mail.events; do
	ok "and publish to $exchange" amqp-publish -u "$mailout" -e $exchange -r mail.out.bulk -b z
done
like "$(echo x | amqp-publish -u "$mailout" -e mail.out -r bulk 2>&1)" 'ACCESS_REFUSED' 'but no requests'
like "$(amqp-get -u "$mailout" -q mail.in.support 2>&1)" 'ACCESS_REFUSED' 'nor read what came in'

# What differs is mended.
echo another > "$SECRETS/publish.pw"
"$SANDBOX" broker "$SANDBOX_DIR" set_permissions -p 'a vhost' con '.*' '.*' '.*'
out=$(mailctl check --rabbitmqctl="$TMP/rabbitmqctl")
is $? 1 'check finds'
like "$out" "^error    amqp user con: its rights are configure '\.\*' write '\.\*' read '\.\*', and should be configure '\^\\$' write '\^mail\\\\\.\(out\|retry\\\\\.\.\*\|dead\|events\)\\$' read '\^mail\\\\\.in\\\\\.'; run mailctl setup --rabbitmqctl$" \
	'rights that are too many'
like "$out" "^error    amqp user pub: .*ACCESS_REFUSED" 'and a wrong password'
like "$(mailctl check)" '^error    amqp user con: may configure exchanges and queues; take that right away' \
	'the right to configure without rabbitmqctl, too'
out=$(users)
like "$out" '^amqp: user pub: password changed$' 'setup changes the password'
like "$out" '^amqp: rights of user con: changed$' 'and the rights'
is "$(mailctl check --rabbitmqctl="$TMP/rabbitmqctl" | grep -c '^error.*amqp')" 0 'and check finds no more'

out=$(mailctl setup --only=amqp --rabbitmqctl=/nowhere/rabbitmqctl)
is $? 1 'no rabbitmqctl'
like "$out" '^mailctl: amqp: /nowhere/rabbitmqctl list_vhosts: exit status 127: /nowhere/rabbitmqctl: No such file' \
	'is told'
is "$(echo "$out" | tail -n 1)" 'errors: 1, warnings: 0' 'and counts as an error'
done_testing
