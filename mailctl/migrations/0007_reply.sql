-- What of a mail's text its sender wrote, apart from the mail that it answers, as the parser found it.

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE messages
		ADD COLUMN text_reply LONGTEXT NULL COMMENT ''text_body without quoted mail, signature and footer; all of it if in doubt'' AFTER html_body,
		ADD COLUMN text_quote LONGTEXT NULL COMMENT ''what text_reply lacks of text_body'' AFTER text_reply,
		ADD COLUMN reply_rule VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '''' COMMENT ''the rule that cut; empty: nothing was cut'' AFTER text_quote')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'messages' AND column_name = 'reply_rule');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;
