#!/bin/sh
# A migration that was cut off half-way is repeated as a whole; a newer database is left alone.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mailctl.sh"
plan 8
use_sandbox --only database,broker
mailctl_config
schema() { mariadb-dump --defaults-file="$MYSQL_ROOT_CNF" --skip-comments --no-data "$MYSQL_DATABASE"; }

mailctl setup --only=mysql > /dev/null || die 'setup'
whole=$(schema)

# As if it had been killed after the second table: nothing is recorded, and the rest is missing.
sql "DROP VIEW attachments_readable; DROP VIEW messages_readable; DROP VIEW recipients;
	SET foreign_key_checks = 0; DROP TABLE addresses; DROP TABLE attachments; DELETE FROM schema_migrations"
sql "INSERT INTO messages (id, route, recipient, received_at, in_reply_to, reference_ids, to_json, cc_json,
		bcc_json, headers, defects)
	VALUES (UNHEX(REPEAT('01', 16)), 'support', 'a@b.c', NOW(), '[]', '[]', '[]', '[]', '[]', '[]', '[]')"
like "$(mailctl check)" '^error    mysql migrations: [0-9]+ of [0-9]+ are missing; run mailctl setup$' 'check sees it'
like "$(mailctl setup --only=mysql)" '^mysql: migration 0001 inbound: applied$' 'it is applied again'
is "$(schema)" "$whole" 'and the schema is whole'
is "$(sql 'SELECT COUNT(*) FROM messages')" 1 'what was stored is still there'

# Two at once.
session_begin "SELECT GET_LOCK(CONCAT('mailpipe ', DATABASE()), 5)"
like "$(mailctl setup --only=mysql)" 'another mailctl setup is at work' 'a second setup waits and gives up'
session_end

sql "INSERT INTO schema_migrations (version, name) VALUES (9999, 'future')"
out=$(mailctl setup --only=mysql)
is "$?" 1 'a newer database: an error'
like "$out" '^mailctl: mysql: the database is at migration 9999, but this mailctl knows only those up to [0-9]+: use the newer' \
	'in plain words'
like "$(mailctl check)" '^error    mysql migrations: the database is at migration 9999' 'check says so, too'
