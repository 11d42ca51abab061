-- Who sent a mail: what its route required and the mail server found out, and whose address it came to.
-- What lacks what its route requires is put aside in quarantine, which the web user must not read.

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE messages ADD COLUMN verified ENUM(''yes'', ''no'', ''unchecked'') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT ''unchecked'' COMMENT ''has the sender proven what the route requires, or, where it requires nothing, that From is true? unchecked: nobody has looked''')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'messages' AND column_name = 'verified');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE messages ADD COLUMN verdicts LONGTEXT NULL COMMENT ''JSON: Mailpipe.Verdicts of the document; NULL: it has none'' CHECK (JSON_VALID(verdicts))')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'messages' AND column_name = 'verdicts');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE messages ADD COLUMN owner_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT ''of the registered address it came to, in the words of the application''')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'messages' AND column_name = 'owner_id');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;

-- The application may know that a message is in quarantine, but nothing of what is in it.
ALTER TABLE inbound_pending MODIFY COLUMN status ENUM('delayed', 'failed', 'quarantined')
	CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
	COMMENT 'delayed: will be tried again; failed: given up, it is in mail.dead; quarantined: an operator decides';

CREATE TABLE IF NOT EXISTS quarantine (
	id BINARY(16) NOT NULL COMMENT 'MessageID',
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	reason TEXT NOT NULL COMMENT 'what it lacks',
	verdicts LONGTEXT NULL COMMENT 'JSON, as in messages' CHECK (JSON_VALID(verdicts)),
	recipient VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'envelope recipient',
	sender VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'envelope sender',
	queue_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	from_email VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	subject MEDIUMTEXT NULL,
	received_at DATETIME(3) NOT NULL COMMENT 'when the pipeline got it',
	quarantined_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	released_at DATETIME(3) NULL COMMENT 'an operator lets it through: it is on its way, or stored already',
	document LONGBLOB NOT NULL COMMENT 'untouched, as it came from the queue',
	document_sha256 BINARY(32) NOT NULL COMMENT 'only this document is let through',
	properties LONGTEXT NOT NULL COMMENT 'JSON: the AMQP properties that it is published with again' CHECK (JSON_VALID(properties)),
	PRIMARY KEY (id),
	KEY quarantine_route (route, received_at),
	KEY quarantine_queue_id (queue_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Mails whose senders did not prove what the route requires';

CREATE OR REPLACE SQL SECURITY INVOKER VIEW quarantine_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(q.id), 1, 8), SUBSTR(HEX(q.id), 9, 4), SUBSTR(HEX(q.id), 13, 4),
		SUBSTR(HEX(q.id), 17, 4), SUBSTR(HEX(q.id), 21, 12))) AS id,
	q.route,
	q.reason,
	q.recipient,
	q.sender,
	q.queue_id,
	q.from_email,
	q.subject,
	q.received_at,
	q.quarantined_at,
	q.released_at,
	LENGTH(q.document) AS size,
	q.verdicts
FROM quarantine q;

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
	m.verified,
	m.owner_id,
	m.subject,
	(SELECT COUNT(*) FROM attachments a WHERE a.message_id = m.id) AS attachments,
	m.auto,
	m.defects,
	m.text_body
FROM messages m;
