#!/bin/sh
# Statements run mail by mail and in the order of the file: whether rows are written for many mails at once or not
# makes no difference to what is there in the end.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ingest.sh"
. "$(dirname "$0")/../lib/target.sh"
plan 6
use_sandbox --only broker,database
ingest_setup
sql "CREATE TABLE seen (number INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(60), before_it INT) CHARSET utf8mb4;
	CREATE TABLE senders (email VARCHAR(100) PRIMARY KEY, mails INT, last_subject TEXT) CHARSET utf8mb4;
	CREATE TABLE numbers (number INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(60)) CHARSET utf8mb4;
	CREATE TABLE parts (number INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(60))
		CHARSET utf8mb4"
target_grant 'SELECT, INSERT, UPDATE, DELETE' seen senders numbers parts

# Rows for many, then what reads them, then the same table once more, then attachments between mails' statements.
plain() {
	cat <<-'END'
	INSERT INTO numbers (what) VALUES (CONCAT('mail ', :queue_id)), ('and another row');
	INSERT INTO senders VALUES (:subject, 1, :queue_id)
		ON DUPLICATE KEY UPDATE mails = mails + 1, last_subject = VALUES(last_subject);
	INSERT INTO seen (what) VALUES (CONCAT('first ', :queue_id));
	-- mailpipe: attachment
	INSERT INTO parts (what) VALUES (CONCAT(:queue_id, ' ', :attachment_position));
	INSERT INTO seen (what) VALUES (CONCAT('part ', :attachment_name, :queue_id));
	-- mailpipe: message
	INSERT INTO seen (what) VALUES (CONCAT('last ', :queue_id));
	-- mailpipe: attachment where image
	INSERT INTO seen (what) VALUES ('an image');
	-- mailpipe: attachment where not image
	INSERT INTO numbers (what) VALUES (:attachment_name);
	END
}
reading() {
	cat <<-'END'
	-- mailpipe: message
	INSERT INTO seen (what, before_it) SELECT CONCAT('reads ', :queue_id), COUNT(*) FROM parts;
	UPDATE senders SET mails = mails + 10 WHERE email = :subject;
	DELETE FROM numbers WHERE what = CONCAT('mail ', :queue_id);
	END
}
looking_back() {
	cat <<-'END'
	-- mailpipe: message
	SELECT LAST_INSERT_ID() INTO @number;
	UPDATE numbers SET what = CONCAT('touched by ', :queue_id) WHERE number = @number;
	END
}

everything() {
	for table in seen senders numbers parts; do
		sql "SELECT '$table', t.* FROM $table t ORDER BY 2"
		sql "TRUNCATE $table"
	done
	sql 'DELETE FROM attachments; DELETE FROM messages; DELETE FROM blobs'
}
mails() {
	documents --count 30 --attach 10 --attach 20 --subject even
	documents --first 31 --count 1 --subject one
	documents --first 32 --count 60 --attach 5 --subject odd
	documents --first 92 --count 9 --subject even
}
# With batches of so many.
run() {
	sed -i "s/^batch_count = .*/batch_count = $1/" "$TMP/conf"
	mails | publish
	ingest_start
	stored 100
	ingest_stop
	everything
}

ingest_set batch_count 1
for kind in plain reading looking_back; do
	case $kind in
	plain) plain ;;
	reading)
		plain
		reading
		;;
	looking_back)
		plain
		looking_back
		;;
	esac > "$TMP/statements"
	target_use < "$TMP/statements"
	run 1 > "$TMP/one"
	run 64 > "$TMP/many"
	is "$(grep -c . "$TMP/one")" 763 "$kind: all rows are there"
	ok "$kind: written for many at once, they are the same" cmp "$TMP/one" "$TMP/many"
done
