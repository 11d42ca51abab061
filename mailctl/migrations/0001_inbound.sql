-- Inbound mail: what mailin-ingest writes, the application reads and Postfix asks.
--
-- Rules for every migration (mailctl/migrate.c):
--   * a statement ends with ';' at the end of a line, and no other line ends so;
--   * DDL commits by itself, so each statement must be safe to run again after an earlier run
--     was cut off: CREATE TABLE IF NOT EXISTS, CREATE OR REPLACE VIEW ...;
--   * it must run on MariaDB 10.6 and MySQL 8.0.16 or later.
--
-- Times are UTC.  Ids are UUIDs as 16 bytes, in an order that follows time.
--
-- Columns that hold what strangers wrote are of a TEXT type, and the config's limits are far
-- below its 16 MiB.  What is VARCHAR for the sake of an index or of sorting has these widths in
-- characters, and mailin-ingest cuts to them what came from the mail itself:
--   messages:     from_email 320, message_id_header 998
--   attachments:  name 1024, content_type 255, detected_type 255, disposition 64, content_id 998
-- The envelope's columns hold anything that SMTP lets through (a command line has 2,048 bytes);
-- a queue message with more than that is malformed.  date_utc knows the years 1000 to 9999.

CREATE TABLE IF NOT EXISTS blobs (
	sha256 BINARY(32) NOT NULL COMMENT 'of data',
	size BIGINT UNSIGNED NOT NULL COMMENT 'bytes of data',
	data LONGBLOB NOT NULL,
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	PRIMARY KEY (sha256)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='The bytes of attachments and raw mails, once per content';

CREATE TABLE IF NOT EXISTS messages (
	id BINARY(16) NOT NULL COMMENT 'MessageID: computed, so a mail that is delivered twice has it twice',
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	recipient VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'envelope recipient',
	mailbox_hash VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'after the + of the recipient',
	sender VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'envelope sender; empty: the null sender of a bounce',
	queue_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'of Postfix, as in its log',
	client_address VARCHAR(64) NOT NULL DEFAULT '',
	client_name VARCHAR(1025) NOT NULL DEFAULT '',
	helo VARCHAR(2048) NOT NULL DEFAULT '',
	sasl_username VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
	size BIGINT NULL COMMENT 'bytes of the mail as Postfix counts them; NULL: not told',
	received_at DATETIME(3) NOT NULL COMMENT 'when the pipeline got it',
	stored_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	date_header MEDIUMTEXT NULL COMMENT 'Date as the sender wrote it; it may say anything',
	date_utc DATETIME NULL COMMENT 'the same understood; NULL: none or not understood',
	message_id_header VARCHAR(998) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'Message-ID, chosen by the sender: neither unique nor to be trusted',
	in_reply_to LONGTEXT NOT NULL COMMENT 'JSON: array of strings' CHECK (JSON_VALID(in_reply_to)),
	reference_ids LONGTEXT NOT NULL COMMENT 'JSON: array of strings (References)' CHECK (JSON_VALID(reference_ids)),
	from_email VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'in lower case, to be found by; as written: headers',
	from_name MEDIUMTEXT NULL,
	to_json LONGTEXT NOT NULL COMMENT 'JSON: array of {Email, Name, MailboxHash}' CHECK (JSON_VALID(to_json)),
	cc_json LONGTEXT NOT NULL COMMENT 'JSON, as to_json' CHECK (JSON_VALID(cc_json)),
	bcc_json LONGTEXT NOT NULL COMMENT 'JSON, as to_json' CHECK (JSON_VALID(bcc_json)),
	reply_to MEDIUMTEXT NULL,
	subject MEDIUMTEXT NULL,
	text_body LONGTEXT NULL,
	html_body LONGTEXT NULL COMMENT 'as the stranger sent it: not safe to show without sanitising',
	headers LONGTEXT NOT NULL COMMENT 'JSON: array of {Name, Value}, all, in order' CHECK (JSON_VALID(headers)),
	auto VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'no' COMMENT 'RFC 3834: no, bounce, replied, generated, list, bulk',
	defects LONGTEXT NOT NULL COMMENT 'JSON: array of strings; what was wrong with the mail' CHECK (JSON_VALID(defects)),
	raw_sha256 BINARY(32) NULL COMMENT 'the mail as it came, when kept',
	PRIMARY KEY (id),
	KEY messages_route (route, received_at),
	KEY messages_message_id (message_id_header(64)),
	KEY messages_from (from_email(64)),
	KEY messages_queue_id (queue_id),
	KEY messages_raw (raw_sha256),
	CONSTRAINT messages_raw_blob FOREIGN KEY (raw_sha256) REFERENCES blobs (sha256)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='One row per mail and envelope recipient';

CREATE TABLE IF NOT EXISTS attachments (
	id BINARY(16) NOT NULL,
	message_id BINARY(16) NOT NULL,
	position INT UNSIGNED NOT NULL COMMENT 'order in the mail, from 0',
	name VARCHAR(1024) NOT NULL COMMENT 'made safe: no path, no control characters',
	content_type VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'as the sender says',
	detected_type VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'as the content says',
	disposition VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'attachment or inline',
	content_id VARCHAR(998) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'of an inline image: cid: in html_body',
	size BIGINT UNSIGNED NOT NULL COMMENT 'bytes',
	sha256 BINARY(32) NOT NULL COMMENT 'of its bytes, in blobs',
	PRIMARY KEY (id),
	UNIQUE KEY attachments_message (message_id, position),
	KEY attachments_blob (sha256),
	CONSTRAINT attachments_message_id FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE,
	CONSTRAINT attachments_sha256 FOREIGN KEY (sha256) REFERENCES blobs (sha256)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Attachments and inline images of messages; their bytes are in blobs';

-- What Postfix is asked for at RCPT time.  `mailctl setup` keeps the rows with source 'config'
-- in step with the config's routes and leaves 'manual' ones alone.
CREATE TABLE IF NOT EXISTS addresses (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	source ENUM('config', 'manual') NOT NULL,
	match_type ENUM('exact', 'wildcard', 'regex') NOT NULL,
	pattern VARCHAR(700) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'user@example.com, *@example.com or /expression/; in lower case unless regex',
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	PRIMARY KEY (id),
	UNIQUE KEY addresses_pattern (match_type, pattern, source),
	CONSTRAINT addresses_case CHECK (match_type = 'regex' OR pattern = LOWER(pattern))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Address patterns of routes, as Postfix asks for them';

-- The only thing Postfix may read.  Its map asks:
--   SELECT route FROM recipients
--   WHERE (match_type = 'exact' AND pattern = LOWER('%s'))
--      OR (match_type = 'wildcard' AND LOWER('%s') LIKE like_pattern)
--      OR (match_type = 'regex' AND '%s' REGEXP regex_pattern)
--   LIMIT 1
-- Exact matches use the index.  (?i) is understood by MariaDB (PCRE2) and MySQL (ICU).
CREATE OR REPLACE SQL SECURITY DEFINER VIEW recipients AS
SELECT
	match_type,
	pattern,
	CASE match_type WHEN 'wildcard' THEN REPLACE(REPLACE(REPLACE(REPLACE(pattern,
		'\\', '\\\\'), '%', '\\%'), '_', '\\_'), '*', '%') END AS like_pattern,
	CASE match_type WHEN 'regex' THEN
		CONCAT('(?i)', SUBSTRING(pattern, 2, CHAR_LENGTH(pattern) - 2)) END AS regex_pattern,
	route
FROM addresses;

-- For people: ids as text, a line per mail.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW messages_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(m.id), 1, 8), SUBSTR(HEX(m.id), 9, 4), SUBSTR(HEX(m.id), 13, 4),
		SUBSTR(HEX(m.id), 17, 4), SUBSTR(HEX(m.id), 21, 12))) AS id,
	m.route,
	m.queue_id,
	m.received_at,
	m.stored_at,
	m.sender,
	m.recipient,
	m.from_email,
	m.from_name,
	m.subject,
	(SELECT COUNT(*) FROM attachments a WHERE a.message_id = m.id) AS attachments,
	m.auto,
	m.defects,
	m.text_body
FROM messages m;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW attachments_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(a.id), 1, 8), SUBSTR(HEX(a.id), 9, 4), SUBSTR(HEX(a.id), 13, 4),
		SUBSTR(HEX(a.id), 17, 4), SUBSTR(HEX(a.id), 21, 12))) AS id,
	LOWER(CONCAT_WS('-', SUBSTR(HEX(a.message_id), 1, 8), SUBSTR(HEX(a.message_id), 9, 4),
		SUBSTR(HEX(a.message_id), 13, 4), SUBSTR(HEX(a.message_id), 17, 4),
		SUBSTR(HEX(a.message_id), 21, 12))) AS message_id,
	a.position,
	a.name,
	a.content_type,
	a.detected_type,
	a.disposition,
	a.content_id,
	a.size,
	LOWER(HEX(a.sha256)) AS sha256
FROM attachments a;
