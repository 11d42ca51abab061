-- Which address a thread's token belongs to: Postfix must not take mail for another one, which nobody has, for it
-- could only be returned, and to whomever its envelope names.

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE thread_tokens ADD COLUMN address VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL
		COMMENT ''of the reply address, without the token: in lower case, the domain as A-labels; NULL: not told''')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'thread_tokens' AND column_name = 'address');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW recipient_threads AS
SELECT k.token_hash, t.route, k.address
FROM thread_tokens k JOIN threads t ON t.id = k.thread_id
WHERE k.valid;
