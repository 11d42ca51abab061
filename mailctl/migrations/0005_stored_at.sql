-- How many were stored in the last minute, per route: asked by `mailctl status`.  The entries come in
-- order, so they cost mailin-ingest little.

-- MySQL has no CREATE INDEX IF NOT EXISTS.
SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'CREATE INDEX messages_stored ON messages (stored_at, route)')
	FROM information_schema.statistics
	WHERE table_schema = DATABASE() AND table_name = 'messages' AND index_name = 'messages_stored');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;
