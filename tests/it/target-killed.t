#!/bin/sh
# A worker is killed in the middle of a target, again and again: each mail runs its target once.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/target.sh"
plan 5
use_sandbox --only broker,database
ingest_setup
sql "CREATE TABLE counts (id CHAR(36) CHARACTER SET ascii PRIMARY KEY, times INT NOT NULL);
	CREATE TABLE totals (id INT PRIMARY KEY, mails INT NOT NULL);
	INSERT INTO totals VALUES (1, 0)"
target_grant 'SELECT, INSERT, UPDATE' counts totals
target_use <<'END'
INSERT INTO counts VALUES (:message_uuid, 1) ON DUPLICATE KEY UPDATE times = times + 1;
UPDATE totals SET mails = mails + 1;
END
# So small that there is something left to do whenever a worker is killed.
ingest_set batch_count 8
documents --count 200 --attach 10 | publish
ingest_start
for at in 1 30 60 100 140; do
	stored "$at"
	ingest_workers | xargs -r kill -KILL 2> /dev/null
done
stored 200
all_are_in() { [ "$(probe count mail.in.support)" -eq 0 ]; }
wait_for 30 all_are_in
ingest_stop
is "$ingest_status" 0 'it ends in good order'
is "$(rows)" 200 'all are stored'
is "$(sql 'SELECT COUNT(*), MAX(times) FROM counts')" "$(printf '200\t1')" 'each ran its target once'
is "$(sql 'SELECT mails FROM totals')" 200 'all statements of it'
is "$(probe count mail.dead)" 0 'and none is given up'
