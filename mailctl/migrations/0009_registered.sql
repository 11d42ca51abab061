-- Who may post where: what `mailctl address` keeps, mailin-ingest resolves and Postfix asks for.
--
-- A registration is an address of a route, for an owner.  It is used by the senders that it names
-- (a row of registered_senders each), or by whoever has one of its tokens (registered_tokens) and
-- is among these senders.  The tokens themselves stand nowhere: who reads the table cannot post.

CREATE TABLE IF NOT EXISTS registered_addresses (
	id INT UNSIGNED NOT NULL AUTO_INCREMENT,
	address VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'without a token: in lower case, the domain as A-labels',
	address_utf8 VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'the same with the domain as U-labels, as a client may send it',
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	owner_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'of the application: whose the posts are',
	needs_token BOOLEAN NOT NULL,
	proof ENUM('route', 'none', 'spf-or-dkim', 'dmarc') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'route'
		COMMENT 'what the sender must prove besides; route: what the config says',
	valid_until DATETIME(3) NULL COMMENT 'NULL: for ever',
	label VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'for people',
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	PRIMARY KEY (id),
	KEY registered_addresses_address (address),
	KEY registered_addresses_utf8 (address_utf8),
	KEY registered_addresses_owner (owner_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Addresses that a route takes posts at, and for whom';

CREATE TABLE IF NOT EXISTS registered_senders (
	registered_id INT UNSIGNED NOT NULL,
	sender VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'ann@example.com, *@example.com, or * for anyone; in lower case, the domain as A-labels',
	lookup VARCHAR(641) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'sender, a blank, the address: what is asked for',
	PRIMARY KEY (registered_id, sender),
	KEY registered_senders_lookup (lookup),
	CONSTRAINT registered_senders_registered FOREIGN KEY (registered_id) REFERENCES registered_addresses (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Who may post at a registered address';

CREATE TABLE IF NOT EXISTS registered_tokens (
	token_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the token in lower case',
	registered_id INT UNSIGNED NOT NULL,
	valid_until DATETIME(3) NULL COMMENT 'of one that was replaced; NULL: as long as the address',
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	PRIMARY KEY (token_hash),
	KEY registered_tokens_registered (registered_id),
	CONSTRAINT registered_tokens_registered_id FOREIGN KEY (registered_id) REFERENCES registered_addresses (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='The tokens of registered addresses, hashed';

-- What Postfix may read besides recipients; all by an index.  Several views, because one of a
-- UNION would be made as a whole for each question.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW recipient_addresses AS
SELECT r.address, r.address_utf8, r.route
FROM registered_addresses r
WHERE NOT r.needs_token AND (r.valid_until IS NULL OR r.valid_until > UTC_TIMESTAMP(3));

CREATE OR REPLACE SQL SECURITY DEFINER VIEW recipient_tokens AS
SELECT t.token_hash, r.address, r.address_utf8, r.route
FROM registered_tokens t JOIN registered_addresses r ON r.id = t.registered_id
WHERE (t.valid_until IS NULL OR t.valid_until > UTC_TIMESTAMP(3))
	AND (r.valid_until IS NULL OR r.valid_until > UTC_TIMESTAMP(3));

-- Reply addresses of threads (0008).
CREATE OR REPLACE SQL SECURITY DEFINER VIEW recipient_threads AS
SELECT k.token_hash, t.route
FROM thread_tokens k JOIN threads t ON t.id = k.thread_id
WHERE k.valid;
