# shellcheck shell=sh
# For tests of mailctl, after tap.sh: a config of the test's own with users of its own, because users
# belong to the whole server, which other tests share.  Call mailctl_config after use_sandbox; it sets
# CONF (the config), SECRETS (a directory with ROLE.pw) and USERS (the prefix of the users' names).
# shellcheck disable=SC2154
mailctl_config() {
	USERS=u$$
	CONF=$TMP/mailpipe.conf
	SECRETS=$TMP
	for role in ingest mailout web postfix; do
		echo "pw-$role-$$" > "$SECRETS/$role.pw"
	done
	echo "$MYSQL_ROOT_PASSWORD" > "$SECRETS/root.pw"
	for role in publish consume broker-mailout application setup; do
		role_password "$role" > "$SECRETS/$role.pw"
	done
	chmod 600 "$SECRETS"/*.pw
	cat > "$CONF" <<-END
		[amqp]
		hosts = $AMQP_HOST:$AMQP_PORT
		vhost = $AMQP_VHOST
		publish_user = $AMQP_PUBLISH_USER
		publish_password_file = $SECRETS/publish.pw
		consume_user = $AMQP_CONSUME_USER
		consume_password_file = $SECRETS/consume.pw
		mailout_user = $AMQP_MAILOUT_USER
		mailout_password_file = $SECRETS/broker-mailout.pw
		application_user = $AMQP_APPLICATION_USER
		application_password_file = $SECRETS/application.pw
		setup_user = $AMQP_SETUP_USER
		setup_password_file = $SECRETS/setup.pw
		[mysql]
		socket = $MYSQL_SOCKET
		database = $MYSQL_DATABASE
		ingest_user = $USERS-ingest
		ingest_password_file = $SECRETS/ingest.pw
		mailout_user = $USERS-mailout
		mailout_password_file = $SECRETS/mailout.pw
		web_user = $USERS-web
		web_password_file = $SECRETS/web.pw
		postfix_user = $USERS-postfix
		postfix_password_file = $SECRETS/postfix.pw
		setup_user = root
		setup_password_file = $SECRETS/root.pw
		[route support]
		recipients = support@example.test, help@example.test
		[route inbox]
		recipients = *@inbox.example.test
		[route orders]
		recipients = /^order-[0-9]+@example\.test$/
	END
	at_exit 'drop_users'
}

role_password() {
	case $1 in
	publish) echo "$AMQP_PUBLISH_PASSWORD" ;;
	consume) echo "$AMQP_CONSUME_PASSWORD" ;;
	broker-mailout) echo "$AMQP_MAILOUT_PASSWORD" ;;
	application) echo "$AMQP_APPLICATION_PASSWORD" ;;
	setup) echo "$AMQP_SETUP_PASSWORD" ;;
	esac
}

drop_users() {
	for role in ingest mailout web postfix; do
		sql "DROP USER IF EXISTS \`$USERS-$role\`@localhost" 2> /dev/null || true
	done
}

mailctl() { "$BUILD/bin/mailctl" -c "$CONF" "$@" 2>&1; }

# sql_as ROLE SQL: as that user; errors are its output, too.
sql_as() {
	mariadb --no-defaults -S "$MYSQL_SOCKET" -u "$USERS-$1" -p"$(cat "$SECRETS/$1.pw")" -N -B \
		"$MYSQL_DATABASE" -e "$2" 2>&1
}
