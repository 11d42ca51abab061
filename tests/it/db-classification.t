#!/bin/sh
# What errors of a real server mean: OK, RETRY or REJECT; ends with the server being killed.
. "$(dirname "$0")/../lib/tap.sh"
own_sandbox --only database
sql "SET GLOBAL max_allowed_packet = 16777216;
	CREATE DATABASE probe CHARACTER SET utf8mb4;
	CREATE USER limited@localhost IDENTIFIED BY 'right';
	GRANT SELECT, INSERT, UPDATE ON probe.* TO limited@localhost"
DB_SOCKET=$MYSQL_SOCKET DB_PASSWORD=$MYSQL_ROOT_PASSWORD DB_PID=$(cat "$SANDBOX_DIR/run/database.pid") \
	CMOCKA_MESSAGE_OUTPUT=TAP "$BUILD/tests/it/db_probe"
tap_failed=$?
