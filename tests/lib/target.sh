# shellcheck shell=sh
# For tests of targets; after ingest.sh and ingest_setup:
#
#	target_use < FILE		the route support has this target, $TMP/own.sql
#	target_grant RIGHTS TABLE...	to the user of mailin-ingest

target_use() {
	cat > "$TMP/own.sql"
	grep -q "^target = $TMP/own.sql" "$TMP/conf" ||
		sed -i "s|^\[route support\]|[route support]\ntarget = $TMP/own.sql|" "$TMP/conf"
}

target_grant() {
	rights=$1
	shift
	for table in "$@"; do
		sql "GRANT $rights ON $table TO $(target_user)"
	done
}

# The account that mailctl setup made.
target_user() {
	sql "SELECT CONCAT('\`', user, '\`@\`', host, '\`') FROM mysql.user WHERE user = '$(conf_value ingest_user)'"
}

conf_value() { "$BUILD/bin/mailctl" --config "$TMP/conf" config | sed -n "s/^$1 = //p"; }
