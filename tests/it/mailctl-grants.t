#!/bin/sh
# Each database user may do what it needs, and nothing else.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
use_sandbox --only broker,database
mailctl_config
mailctl setup --only=mysql > /dev/null || die 'setup'

message="INSERT INTO messages (id, route, recipient, received_at, in_reply_to, reference_ids, to_json, cc_json,
		bcc_json, headers, defects)
	VALUES (UNHEX(REPEAT('01', 16)), 'support', 'a@b.c', NOW(), '[]', '[]', '[]', '[]', '[]', '[]', '[]')"
blob="INSERT INTO blobs (sha256, size, data) VALUES (UNHEX(SHA2('x', 256)), 1, 'x')"
attachment="INSERT INTO attachments (id, message_id, position, name, size, sha256)
	VALUES (UNHEX(REPEAT('02', 16)), UNHEX(REPEAT('01', 16)), 0, 'x.txt', 1, UNHEX(SHA2('x', 256)))"

may() {	# ROLE SQL NAME
	is "$(if sql_as "$1" "$2" > "$TMP/out"; then echo yes; else cat "$TMP/out"; fi)" yes "$1 may $3"
}
may_not() {
	like "$(sql_as "$1" "$2")" '^ERROR (1142|1143|1044|1370|1227|1305) ' "$1 may not $3"
}

may ingest "$message" 'store a message'
may ingest "$blob" 'store contents'
may ingest "$attachment" 'store an attachment'
may_not ingest "UPDATE messages SET subject = 'x'" 'change a message'
may ingest 'SELECT MAX(version) FROM schema_migrations' 'see the migrations'
for table in messages blobs attachments; do
	may ingest "SELECT * FROM $table" "read $table"
	may_not ingest "DELETE FROM $table" "delete from $table"
	may_not ingest "DROP TABLE $table" "drop $table"
	may_not ingest "ALTER TABLE $table ADD x INT" "alter $table"
done
may_not ingest 'SELECT * FROM addresses' 'read addresses'
may_not ingest "INSERT INTO schema_migrations (version, name) VALUES (2, 'x')" 'write migrations'
may_not ingest 'CREATE TABLE x (a INT)' 'create tables'

for table in messages blobs attachments messages_readable attachments_readable refused_attachments \
	refused_attachments_readable gallery_photos gallery_photos_readable inbound_pending \
	inbound_pending_readable message_states registered_addresses; do
	may web "SELECT * FROM $table" "read $table"
done
may_not web "$message" 'store a message'
may_not web "UPDATE messages SET subject = 'x'" 'change a message'
may_not web 'DELETE FROM messages' 'delete messages'
may_not web 'SELECT * FROM addresses' 'read addresses'
may_not web 'SELECT * FROM recipients' 'read recipients'
may_not web 'SELECT * FROM registered_tokens' 'read tokens'
may ingest 'SELECT * FROM registered_tokens' 'read tokens'
may_not ingest 'DELETE FROM registered_tokens' 'delete tokens'

for view in recipients recipient_addresses recipient_tokens recipient_threads; do
	may postfix "SELECT * FROM $view" "read the view $view"
done
for table in addresses registered_addresses registered_senders registered_tokens messages blobs attachments messages_readable schema_migrations; do
	may_not postfix "SELECT * FROM $table" "read $table"
done
may_not postfix "INSERT INTO recipients (pattern) VALUES ('x')" 'write to the view'

may mailout 'SELECT data FROM attachments JOIN blobs USING (sha256)' 'read attachments'
may_not mailout 'SELECT * FROM messages' 'read messages'
may_not mailout "$blob" 'store contents'

# What somebody granted by hand: in our database it is revoked, elsewhere and everywhere it is left.
sql "GRANT INSERT, DELETE ON $MYSQL_DATABASE.messages TO \`$USERS-web\`@localhost WITH GRANT OPTION;
	GRANT UPDATE ON $MYSQL_DATABASE.* TO \`$USERS-web\`@localhost;
	GRANT SELECT ON mysql.user TO \`$USERS-web\`@localhost;
	GRANT PROCESS ON *.* TO \`$USERS-web\`@localhost;
	REVOKE INSERT ON $MYSQL_DATABASE.blobs FROM \`$USERS-ingest\`@localhost"
out=$(mailctl check)
like "$out" "^error    mysql user $USERS-web: has rights that it should not have: DELETE ON .$MYSQL_DATABASE.\..messages., GRANT OPTION ON .$MYSQL_DATABASE.\..messages., INSERT ON .$MYSQL_DATABASE.\..messages., PROCESS ON \*\.\* and 1 more; " \
	'check tells rights that are too many'
like "$out" "^error    mysql user $USERS-ingest: lacks rights: INSERT ON .$MYSQL_DATABASE.\..blobs.; run mailctl setup$" \
	'and those that are missing'
out=$(mailctl setup --only=mysql)
is $? 1 'setup cannot mend a right for the whole server'
like "$out" "^error    mysql rights: '$USERS-web'@'localhost' has a right for the whole server: PROCESS ON \*\.\*; revoke it by hand$" \
	'and says so'
like "$out" "^mysql: rights of '$USERS-web'@'localhost': 0 granted, 4 revoked$" 'it revokes the others'
like "$out" "^mysql: rights of '$USERS-ingest'@'localhost': 1 granted, 0 revoked$" 'and grants what was missing'
may_not web 'DELETE FROM messages' 'delete messages any more'
may web 'SELECT COUNT(*) FROM mysql.user' 'read another database, which is not our business'

sed -i "s/^web_user = .*/web_user = root/; s,^web_password_file = .*,web_password_file = $SECRETS/root.pw," "$CONF"
like "$(mailctl setup --only=mysql)" '^mailctl: mysql: user root: mysql.web_user is the user that sets up$' \
	'the user that sets up keeps its rights'
done_testing
