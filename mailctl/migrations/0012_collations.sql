-- The views again, with text that any client can compare: an id that is put together of HEX(), which
-- has the collation of the client's connection, and of '-', which has that of the connection that made
-- the view, has none of its own when these differ, and each comparison with it is an error (1267).

CREATE OR REPLACE SQL SECURITY INVOKER VIEW messages_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(m.id), 1, 8), SUBSTR(HEX(m.id), 9, 4), SUBSTR(HEX(m.id), 13, 4),
		SUBSTR(HEX(m.id), 17, 4), SUBSTR(HEX(m.id), 21, 12))) USING ascii) AS id,
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

CREATE OR REPLACE SQL SECURITY INVOKER VIEW attachments_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(a.id), 1, 8), SUBSTR(HEX(a.id), 9, 4), SUBSTR(HEX(a.id), 13, 4),
		SUBSTR(HEX(a.id), 17, 4), SUBSTR(HEX(a.id), 21, 12))) USING ascii) AS id,
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(a.message_id), 1, 8), SUBSTR(HEX(a.message_id), 9, 4), SUBSTR(HEX(a.message_id), 13, 4),
		SUBSTR(HEX(a.message_id), 17, 4), SUBSTR(HEX(a.message_id), 21, 12))) USING ascii) AS message_id,
	a.position,
	a.name,
	a.content_type,
	a.detected_type,
	a.disposition,
	a.content_id,
	a.size,
	LOWER(HEX(a.sha256)) AS sha256,
	a.image_width,
	a.image_height,
	a.image_orientation
FROM attachments a;

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
	LOWER(HEX(r.sha256)) AS sha256
FROM refused_attachments r;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW inbound_pending_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(p.id), 1, 8), SUBSTR(HEX(p.id), 9, 4), SUBSTR(HEX(p.id), 13, 4),
		SUBSTR(HEX(p.id), 17, 4), SUBSTR(HEX(p.id), 21, 12))) USING ascii) AS id,
	p.route,
	p.status,
	p.attempt,
	p.first_seen,
	p.updated_at,
	p.next_attempt,
	p.reason
FROM inbound_pending p
WHERE NOT EXISTS (SELECT 1 FROM messages s WHERE s.id = p.id);

CREATE OR REPLACE SQL SECURITY INVOKER VIEW quarantine_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(q.id), 1, 8), SUBSTR(HEX(q.id), 9, 4), SUBSTR(HEX(q.id), 13, 4),
		SUBSTR(HEX(q.id), 17, 4), SUBSTR(HEX(q.id), 21, 12))) USING ascii) AS id,
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

-- shown_width and shown_height: as a viewer shows it that heeds the orientation.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW gallery_photos_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(p.id), 1, 8), SUBSTR(HEX(p.id), 9, 4), SUBSTR(HEX(p.id), 13, 4),
		SUBSTR(HEX(p.id), 17, 4), SUBSTR(HEX(p.id), 21, 12))) USING ascii) AS id,
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(p.message_id), 1, 8), SUBSTR(HEX(p.message_id), 9, 4), SUBSTR(HEX(p.message_id), 13, 4),
		SUBSTR(HEX(p.message_id), 17, 4), SUBSTR(HEX(p.message_id), 21, 12))) USING ascii) AS message_id,
	p.route,
	p.album,
	p.owner_id,
	p.posted_at,
	p.from_email,
	p.title,
	p.position,
	p.name,
	p.content_type,
	p.size,
	CASE WHEN p.orientation >= 5 THEN p.height ELSE p.width END AS shown_width,
	CASE WHEN p.orientation >= 5 THEN p.width ELSE p.height END AS shown_height,
	p.orientation,
	LOWER(HEX(p.sha256)) AS sha256,
	p.caption
FROM gallery_photos p;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW outbound_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(o.id), 1, 8), SUBSTR(HEX(o.id), 9, 4), SUBSTR(HEX(o.id), 13, 4),
		SUBSTR(HEX(o.id), 17, 4), SUBSTR(HEX(o.id), 21, 12))) USING ascii) AS id,
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
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(r.outbound_id), 1, 8), SUBSTR(HEX(r.outbound_id), 9, 4), SUBSTR(HEX(r.outbound_id), 13, 4),
		SUBSTR(HEX(r.outbound_id), 17, 4), SUBSTR(HEX(r.outbound_id), 21, 12))) USING ascii) AS outbound_id,
	r.email,
	r.status,
	r.attempts,
	r.code,
	r.enhanced,
	r.reply,
	r.created_at,
	r.updated_at
FROM outbound_recipients r;

-- For people: ids as text.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW threads_readable AS
SELECT
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(t.id), 1, 8), SUBSTR(HEX(t.id), 9, 4), SUBSTR(HEX(t.id), 13, 4),
		SUBSTR(HEX(t.id), 17, 4), SUBSTR(HEX(t.id), 21, 12))) USING ascii) AS id,
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
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(t.id), 1, 8), SUBSTR(HEX(t.id), 9, 4), SUBSTR(HEX(t.id), 13, 4),
		SUBSTR(HEX(t.id), 17, 4), SUBSTR(HEX(t.id), 21, 12))) USING ascii) AS id,
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
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(m.ticket_id), 1, 8), SUBSTR(HEX(m.ticket_id), 9, 4), SUBSTR(HEX(m.ticket_id), 13, 4),
		SUBSTR(HEX(m.ticket_id), 17, 4), SUBSTR(HEX(m.ticket_id), 21, 12))) USING ascii) AS ticket_id,
	CONVERT(LOWER(CONCAT_WS('-', SUBSTR(HEX(m.id), 1, 8), SUBSTR(HEX(m.id), 9, 4), SUBSTR(HEX(m.id), 13, 4),
		SUBSTR(HEX(m.id), 17, 4), SUBSTR(HEX(m.id), 21, 12))) USING ascii) AS id,
	m.direction,
	m.at,
	m.from_email,
	m.from_name,
	m.auto,
	(SELECT COUNT(*) FROM attachments a WHERE a.message_id = m.message_id) AS attachments,
	m.text
FROM ticket_messages m
JOIN tickets t ON t.id = m.ticket_id;

-- A row of inbound_pending may outlive the storing for a moment; messages decides.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW message_states AS
SELECT
	m.id,
	_utf8mb4'inbound' COLLATE utf8mb4_bin AS direction,
	m.route AS route,
	CAST(m.status AS CHAR(16)) AS status,
	NULL AS attempts,
	m.received_at AS first_seen,
	m.stored_at AS changed_at,
	NULL AS next_attempt,
	NULL AS reason
FROM messages m
UNION ALL
SELECT
	p.id,
	_utf8mb4'inbound' COLLATE utf8mb4_bin,
	p.route,
	CAST(p.status AS CHAR(16)),
	p.attempt,
	p.first_seen,
	p.updated_at,
	p.next_attempt,
	p.reason
FROM inbound_pending p
WHERE NOT EXISTS (SELECT 1 FROM messages s WHERE s.id = p.id)
UNION ALL
SELECT
	o.id,
	_utf8mb4'outbound' COLLATE utf8mb4_bin,
	o.stream,
	CAST(o.status AS CHAR(16)),
	o.attempts,
	o.created_at,
	o.updated_at,
	o.next_attempt,
	o.last_reply
FROM outbound o;

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
	_utf8mb4'no' COLLATE utf8mb4_bin,
	CAST(o.status AS CHAR(16)),
	o.message_id_header
FROM outbound o
WHERE o.thread_id IS NOT NULL;
