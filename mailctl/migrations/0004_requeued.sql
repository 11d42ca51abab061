-- A request that failed and that an operator brought back from mail.dead is sent again: the record
-- must know which time it is, lest one that comes twice is sent twice.

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE outbound ADD COLUMN requeued INT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''how often it had been brought back from mail.dead when it was tried last'' AFTER attempts')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'outbound' AND column_name = 'requeued');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;
