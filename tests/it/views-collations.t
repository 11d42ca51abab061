#!/bin/sh
# Every text column of every view can be compared, joined and searched, whatever collation the client's connection has.
. "$(dirname "$0")/../lib/tap.sh"
use_sandbox --only broker,database
"$BUILD/bin/mailctl" --config "$CONFIG" setup > "$TMP/setup" || die "setup: $(cat "$TMP/setup")"
columns=$(sql "SELECT CONCAT(c.table_name, ' ', c.column_name) FROM information_schema.columns c
	JOIN information_schema.views v USING (table_schema, table_name)
	WHERE table_schema = '$MYSQL_DATABASE' AND c.collation_name IS NOT NULL ORDER BY 1")
ok 'there are such columns' [ "$(echo "$columns" | wc -l)" -gt 100 ]
for names in 'utf8mb4 COLLATE utf8mb4_general_ci' 'utf8mb4 COLLATE utf8mb4_unicode_ci' 'utf8mb4 COLLATE utf8mb4_bin' latin1; do
	echo "$columns" | while read -r view column; do
		echo "SET NAMES $names;
			SELECT '$view.$column' FROM $view a WHERE a.$column = 'x' OR REPLACE(a.$column, '-', '') LIKE 'x%' LIMIT 1;
			SELECT '$view.$column' FROM $view a JOIN $view b ON a.$column = b.$column LIMIT 1;"
	done > "$TMP/sql"
	mariadb --defaults-file="$MYSQL_ROOT_CNF" -N -B --force "$MYSQL_DATABASE" < "$TMP/sql" 2>&1 | grep ERROR > "$TMP/errors"
	is "$(cut -c 1-200 "$TMP/errors" | head -n 3)" '' "a client with $names"
done
done_testing
