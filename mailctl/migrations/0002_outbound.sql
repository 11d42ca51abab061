-- Outgoing mail: what mailout writes and people and the application read.
--
-- A row of outbound is one request; it is written before the SMTP server is asked (status
-- 'sending', with the claim of the worker that does it) and again with what came of it.
-- The address of a recipient is here as it went to the SMTP server (domain in A-labels), so
-- 254 characters are enough for it (RFC 5321, 4.5.3.1.3).

CREATE TABLE IF NOT EXISTS outbound (
	id BINARY(16) NOT NULL COMMENT 'MessageID of the request: a request that comes twice has it twice',
	stream VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	template VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'TemplateAlias; NULL: the request has its own texts',
	tag VARCHAR(1000) NOT NULL DEFAULT '',
	metadata LONGTEXT NOT NULL COMMENT 'JSON: object of strings, as in the request' CHECK (JSON_VALID(metadata)),
	from_email VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
	subject MEDIUMTEXT NULL,
	message_id_header VARCHAR(998) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'Message-ID of the mail, without angle brackets',
	size BIGINT NULL COMMENT 'bytes of the mail; NULL: it was not built',
	status ENUM('scheduled', 'sending', 'sent', 'deferred', 'failed', 'held', 'expired', 'dry-run')
		CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
		COMMENT 'sent: at least one recipient has it; held: whether it was sent is in doubt',
	attempts INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'tries so far, this one included',
	last_reply TEXT NULL COMMENT 'of the SMTP server, or why it was not sent',
	next_attempt DATETIME(3) NULL COMMENT 'of a deferred or scheduled one, at the earliest',
	claim BINARY(16) NULL COMMENT 'the run of a worker that sends it or sent it last',
	claimed_at DATETIME(3) NULL,
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
	PRIMARY KEY (id),
	KEY outbound_status (status, updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='One row per request of an application to send a mail';

CREATE TABLE IF NOT EXISTS outbound_recipients (
	outbound_id BINARY(16) NOT NULL,
	email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'envelope recipient',
	status ENUM('sent', 'deferred', 'failed', 'in-doubt')
		CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	attempts INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'the try of the request that this came of',
	code INT NULL COMMENT 'SMTP reply code; NULL: there was no reply',
	enhanced VARCHAR(11) NOT NULL DEFAULT '' COMMENT 'enhanced status code (RFC 3463)',
	reply TEXT NULL COMMENT 'of the SMTP server, or what was wrong',
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
	PRIMARY KEY (outbound_id, email),
	KEY outbound_recipients_email (email),
	CONSTRAINT outbound_recipients_outbound FOREIGN KEY (outbound_id) REFERENCES outbound (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='What became of a request for each envelope recipient; no row: not tried yet';

CREATE OR REPLACE SQL SECURITY INVOKER VIEW outbound_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(o.id), 1, 8), SUBSTR(HEX(o.id), 9, 4), SUBSTR(HEX(o.id), 13, 4),
		SUBSTR(HEX(o.id), 17, 4), SUBSTR(HEX(o.id), 21, 12))) AS id,
	o.stream,
	o.template,
	o.status,
	o.attempts,
	o.created_at,
	o.updated_at,
	o.next_attempt,
	o.from_email,
	(SELECT COUNT(*) FROM outbound_recipients r WHERE r.outbound_id = o.id AND r.status = 'sent') AS recipients_sent,
	(SELECT COUNT(*) FROM outbound_recipients r WHERE r.outbound_id = o.id) AS recipients,
	o.subject,
	o.last_reply,
	o.tag,
	o.metadata,
	o.message_id_header,
	o.size
FROM outbound o;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW outbound_recipients_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(r.outbound_id), 1, 8), SUBSTR(HEX(r.outbound_id), 9, 4),
		SUBSTR(HEX(r.outbound_id), 13, 4), SUBSTR(HEX(r.outbound_id), 17, 4),
		SUBSTR(HEX(r.outbound_id), 21, 12))) AS outbound_id,
	r.email,
	r.status,
	r.attempts,
	r.code,
	r.enhanced,
	r.reply,
	r.created_at,
	r.updated_at
FROM outbound_recipients r;
