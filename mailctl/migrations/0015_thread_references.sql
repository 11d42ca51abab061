-- mailout names in References what the mail that it answers refers to (RFC 5322, 3.6.4), and what had not come when
-- an answer was written is not what it answers.

CREATE OR REPLACE SQL SECURITY DEFINER VIEW thread_received AS
SELECT
	m.thread_id,
	m.id,
	m.received_at,
	m.stored_at,
	m.message_id_header,
	m.in_reply_to,
	m.reference_ids
FROM messages m
WHERE m.thread_id IS NOT NULL;
