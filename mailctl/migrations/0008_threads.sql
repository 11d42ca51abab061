-- Conversations: which mails belong together, and the tickets that the target support makes of them.
--
-- threads, thread_participants and thread_ids are written by mailin-ingest, in the transaction that
-- stores the message, and by mailout for what it sends.  Whoever writes takes locks in this order:
-- rows of thread_senders (by key), rows of threads (by id, with an UPDATE), then everything else of
-- these threads, which their rows guard.

CREATE TABLE IF NOT EXISTS threads (
	id BINARY(16) NOT NULL,
	number INT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'for people: unique over all routes, with gaps; no secret',
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	subject MEDIUMTEXT NULL COMMENT 'of its first message',
	created_at DATETIME(3) NOT NULL COMMENT 'when its first message was received',
	last_at DATETIME(3) NOT NULL COMMENT 'when the last message was stored or sent',
	PRIMARY KEY (id),
	UNIQUE KEY threads_number (number),
	KEY threads_route (route, last_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='One row per conversation';

CREATE TABLE IF NOT EXISTS thread_participants (
	thread_id BINARY(16) NOT NULL,
	email VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'in lower case, NFC',
	since DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	PRIMARY KEY (thread_id, email),
	KEY thread_participants_email (email(64)),
	CONSTRAINT thread_participants_thread FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Who takes part: From of what came in, To of what was sent';

-- Several threads may claim the same Message-ID (a stranger may write any): which one a mail belongs
-- to is decided by its sender.  So nobody can take an id away from others.
CREATE TABLE IF NOT EXISTS thread_ids (
	id_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the route, NUL and a Message-ID without angle brackets',
	thread_id BINARY(16) NOT NULL,
	own BOOLEAN NOT NULL COMMENT '1: of a message that is in the thread; 0: only referred to by one',
	PRIMARY KEY (id_hash, thread_id),
	KEY thread_ids_thread (thread_id),
	CONSTRAINT thread_ids_thread_id FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='The Message-IDs of a thread, by which replies find it';

CREATE TABLE IF NOT EXISTS thread_tokens (
	token_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the token in a reply address; the token itself is nowhere',
	thread_id BINARY(16) NOT NULL,
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	valid BOOLEAN NOT NULL DEFAULT TRUE,
	PRIMARY KEY (token_hash),
	KEY thread_tokens_thread (thread_id),
	CONSTRAINT thread_tokens_thread_id FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Whoever writes to LOCAL+TOKEN@DOMAIN writes to this thread';

-- Nothing but locks: what two workers get from one sender at once, they store one after the other,
-- so that it becomes one thread.
CREATE TABLE IF NOT EXISTS thread_senders (
	sender BINARY(32) NOT NULL COMMENT 'SHA-256 of the route, NUL and the address',
	used_on DATE NOT NULL,
	PRIMARY KEY (sender),
	KEY thread_senders_used (used_on)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Locks of mailin-ingest; a row may be removed at any time';

-- Which message belongs to which thread is said once, with the message.
-- (Without the checks the server need not copy the whole table.)
SET foreign_key_checks = 0;
SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE messages ADD COLUMN thread_id BINARY(16) NULL, ADD KEY messages_thread (thread_id, received_at), ADD CONSTRAINT messages_thread_id FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE SET NULL')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'messages' AND column_name = 'thread_id');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;
SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE outbound ADD COLUMN thread_id BINARY(16) NULL, ADD KEY outbound_thread (thread_id, created_at), ADD CONSTRAINT outbound_thread_id FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE SET NULL')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'outbound' AND column_name = 'thread_id');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;
SET foreign_key_checks = 1;

-- ---- the target support ----

CREATE TABLE IF NOT EXISTS tickets (
	id BINARY(16) NOT NULL COMMENT 'of its thread',
	number INT UNSIGNED NOT NULL COMMENT 'for people; of its thread',
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	subject MEDIUMTEXT NULL,
	requester VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'From of the first message, in lower case',
	requester_name MEDIUMTEXT NULL,
	owner_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'whom the address or token belongs to that the first message came by',
	status ENUM('open', 'pending', 'closed') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'open'
		COMMENT 'open: waits for us; pending: waits for the requester',
	priority ENUM('low', 'normal', 'high') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'normal',
	first_at DATETIME(3) NOT NULL COMMENT 'when its first message was received',
	last_at DATETIME(3) NOT NULL COMMENT 'when its last message was received or sent',
	PRIMARY KEY (id),
	UNIQUE KEY tickets_number (number),
	KEY tickets_status (route, status, last_at),
	KEY tickets_requester (requester(64)),
	CONSTRAINT tickets_thread FOREIGN KEY (id) REFERENCES threads (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='One row per ticket: a thread of a route with the target support';

CREATE TABLE IF NOT EXISTS ticket_messages (
	id BINARY(16) NOT NULL COMMENT 'of the message or the request',
	ticket_id BINARY(16) NOT NULL,
	direction ENUM('in', 'out') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	message_id BINARY(16) NULL COMMENT 'in: the message, to which attachments belong',
	outbound_id BINARY(16) NULL COMMENT 'out: the request, as long as its record is kept',
	at DATETIME(3) NOT NULL COMMENT 'when it was received or sent',
	from_email VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
	from_name MEDIUMTEXT NULL,
	auto VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'no' COMMENT 'as in messages',
	text LONGTEXT NULL COMMENT 'in: without what is quoted',
	full_text LONGTEXT NULL COMMENT 'out, if it is another; in: see the message',
	html LONGTEXT NULL COMMENT 'out; in: see the message',
	PRIMARY KEY (id),
	UNIQUE KEY ticket_messages_message (message_id),
	UNIQUE KEY ticket_messages_outbound (outbound_id),
	KEY ticket_messages_ticket (ticket_id, at),
	CONSTRAINT ticket_messages_ticket_id FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
	CONSTRAINT ticket_messages_message_id FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE,
	CONSTRAINT ticket_messages_outbound_id FOREIGN KEY (outbound_id) REFERENCES outbound (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='What was written in a ticket, both ways';

-- ---- views ----

-- Everything of a thread, in both directions.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW thread_messages AS
SELECT
	m.thread_id,
	_utf8mb4'in' COLLATE utf8mb4_bin AS direction,
	m.id,
	m.received_at AS at,
	m.from_email,
	m.subject,
	m.auto,
	CAST(m.status AS CHAR(16)) AS status,
	m.message_id_header
FROM messages m
WHERE m.thread_id IS NOT NULL
UNION ALL
SELECT
	o.thread_id,
	_utf8mb4'out' COLLATE utf8mb4_bin,
	o.id,
	o.created_at,
	o.from_email,
	o.subject,
	'no',
	CAST(o.status AS CHAR(16)),
	o.message_id_header
FROM outbound o
WHERE o.thread_id IS NOT NULL;

-- For applications: all that there is to show of a ticket.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW ticket_contents AS
SELECT
	t.id,
	t.ticket_id,
	t.direction,
	t.message_id,
	t.outbound_id,
	t.at,
	t.from_email,
	t.from_name,
	t.auto,
	t.text,
	COALESCE(m.text_body, t.full_text, t.text) AS full_text,
	COALESCE(m.html_body, t.html) AS html,
	(SELECT COUNT(*) FROM attachments a WHERE a.message_id = t.message_id) AS attachments
FROM ticket_messages t
LEFT JOIN messages m ON m.id = t.message_id;

-- What mailout answers; it may not read messages.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW thread_received AS
SELECT
	m.thread_id,
	m.id,
	m.received_at,
	m.message_id_header
FROM messages m
WHERE m.thread_id IS NOT NULL;

-- For people: ids as text.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW threads_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(t.id), 1, 8), SUBSTR(HEX(t.id), 9, 4), SUBSTR(HEX(t.id), 13, 4),
		SUBSTR(HEX(t.id), 17, 4), SUBSTR(HEX(t.id), 21, 12))) AS id,
	t.number,
	t.route,
	t.subject,
	(SELECT GROUP_CONCAT(p.email ORDER BY p.since, p.email SEPARATOR ', ') FROM thread_participants p
		WHERE p.thread_id = t.id) AS participants,
	(SELECT COUNT(*) FROM messages m WHERE m.thread_id = t.id) AS received,
	(SELECT COUNT(*) FROM outbound o WHERE o.thread_id = t.id) AS sent,
	t.created_at,
	t.last_at
FROM threads t;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW tickets_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(t.id), 1, 8), SUBSTR(HEX(t.id), 9, 4), SUBSTR(HEX(t.id), 13, 4),
		SUBSTR(HEX(t.id), 17, 4), SUBSTR(HEX(t.id), 21, 12))) AS id,
	t.number,
	t.route,
	t.status,
	t.priority,
	t.requester,
	t.requester_name,
	t.owner_id,
	t.subject,
	(SELECT COUNT(*) FROM ticket_messages m WHERE m.ticket_id = t.id) AS messages,
	t.first_at,
	t.last_at
FROM tickets t;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW ticket_messages_readable AS
SELECT
	t.number,
	LOWER(CONCAT_WS('-', SUBSTR(HEX(m.ticket_id), 1, 8), SUBSTR(HEX(m.ticket_id), 9, 4), SUBSTR(HEX(m.ticket_id), 13, 4),
		SUBSTR(HEX(m.ticket_id), 17, 4), SUBSTR(HEX(m.ticket_id), 21, 12))) AS ticket_id,
	LOWER(CONCAT_WS('-', SUBSTR(HEX(m.id), 1, 8), SUBSTR(HEX(m.id), 9, 4), SUBSTR(HEX(m.id), 13, 4),
		SUBSTR(HEX(m.id), 17, 4), SUBSTR(HEX(m.id), 21, 12))) AS id,
	m.direction,
	m.at,
	m.from_email,
	m.from_name,
	m.auto,
	(SELECT COUNT(*) FROM attachments a WHERE a.message_id = m.message_id) AS attachments,
	m.text
FROM ticket_messages m
JOIN tickets t ON t.id = m.ticket_id;
