-- Which file in an archive it was that a route does not take.

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE refused_attachments
		MODIFY COLUMN reason ENUM(''type'', ''name'', ''size'', ''count'', ''no-photo'', ''archive'')
			CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT ''what of it the route does not take'',
		ADD COLUMN entry_name VARCHAR(1024) NULL COMMENT ''of the file in the archive whose name is not taken; NULL: it is its own name, or none'',
		ADD COLUMN entry_size BIGINT UNSIGNED NULL COMMENT ''bytes, as the archive says; 0: it does not''')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'refused_attachments' AND column_name = 'entry_name');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW refused_attachments_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(r.message_id), 1, 8), SUBSTR(HEX(r.message_id), 9, 4), SUBSTR(HEX(r.message_id), 13, 4),
		SUBSTR(HEX(r.message_id), 17, 4), SUBSTR(HEX(r.message_id), 21, 12))) USING ascii) AS message_id,
	r.position,
	r.name,
	r.content_type,
	r.detected_type,
	r.size,
	r.reason,
	r.entry_name,
	r.entry_size,
	LOWER(HEX(r.sha256)) AS sha256
FROM refused_attachments r;
