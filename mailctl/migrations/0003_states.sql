-- What became of a message, for front ends: stored, waiting for another try, or given up.
--
-- A message that is stored has a row in messages.  One that is not stored yet and had to wait, or
-- was given up, has a row in inbound_pending, as soon as the database takes it; the row is deleted
-- when the message is stored after all.  message_states shows both, and outgoing mail, too: ask it
-- by id.

-- MySQL has no ADD COLUMN IF NOT EXISTS.
SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE messages ADD COLUMN status ENUM(''stored'') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT ''stored'' COMMENT ''what is not stored yet is in inbound_pending''')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'messages' AND column_name = 'status');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;

CREATE TABLE IF NOT EXISTS inbound_pending (
	id BINARY(16) NOT NULL COMMENT 'MessageID, as in messages',
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	status ENUM('delayed', 'failed') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
		COMMENT 'delayed: will be tried again; failed: given up, it is in mail.dead',
	attempt INT UNSIGNED NOT NULL COMMENT 'tries so far',
	first_seen DATETIME(3) NOT NULL COMMENT 'when it was first published',
	next_attempt DATETIME(3) NULL COMMENT 'of a delayed one',
	reason TEXT NOT NULL,
	updated_at DATETIME(3) NOT NULL COMMENT 'when that happened',
	PRIMARY KEY (id),
	KEY inbound_pending_route (route, status, first_seen),
	KEY inbound_pending_status (status, updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Inbound messages that are not stored: waiting for another try, or given up';

-- A row of inbound_pending may outlive the storing for a moment; messages decides.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW message_states AS
SELECT
	m.id,
	'inbound' AS direction,
	m.route AS route,
	CAST(m.status AS CHAR(16)) AS status,
	NULL AS attempts,
	m.received_at AS first_seen,
	m.stored_at AS changed_at,
	NULL AS next_attempt,
	NULL AS reason
FROM messages m
UNION ALL
SELECT
	p.id,
	'inbound',
	p.route,
	CAST(p.status AS CHAR(16)),
	p.attempt,
	p.first_seen,
	p.updated_at,
	p.next_attempt,
	p.reason
FROM inbound_pending p
WHERE NOT EXISTS (SELECT 1 FROM messages s WHERE s.id = p.id)
UNION ALL
SELECT
	o.id,
	'outbound',
	o.stream,
	CAST(o.status AS CHAR(16)),
	o.attempts,
	o.created_at,
	o.updated_at,
	o.next_attempt,
	o.last_reply
FROM outbound o;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW inbound_pending_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(p.id), 1, 8), SUBSTR(HEX(p.id), 9, 4), SUBSTR(HEX(p.id), 13, 4),
		SUBSTR(HEX(p.id), 17, 4), SUBSTR(HEX(p.id), 21, 12))) AS id,
	p.route,
	p.status,
	p.attempt,
	p.first_seen,
	p.updated_at,
	p.next_attempt,
	p.reason
FROM inbound_pending p
WHERE NOT EXISTS (SELECT 1 FROM messages s WHERE s.id = p.id);

CREATE OR REPLACE SQL SECURITY INVOKER VIEW messages_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(m.id), 1, 8), SUBSTR(HEX(m.id), 9, 4), SUBSTR(HEX(m.id), 13, 4),
		SUBSTR(HEX(m.id), 17, 4), SUBSTR(HEX(m.id), 21, 12))) AS id,
	m.route,
	m.status,
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
