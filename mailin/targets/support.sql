-- A ticket for each thread, and what is written in it; see mailpipe-targets(7).
--
-- A message that begins a thread opens a ticket.  A later one opens it again, unless it is automatic
-- (an out-of-office reply, a bounce), which is only kept.  So all can be written with one statement
-- for many mails: what is there already counts.  Messages that had to wait come after later ones,
-- so the times are what they are in either order.

-- mailpipe: message where not automatic
INSERT INTO tickets (id, number, route, subject, requester, requester_name, owner_id, priority, first_at, last_at)
VALUES (:thread_id, :thread_number, :route, :subject, :from_email, :from_name, :owner_id, :priority,
	:received_at, :received_at)
ON DUPLICATE KEY UPDATE status = 'open', first_at = LEAST(first_at, VALUES(first_at)),
	last_at = GREATEST(last_at, VALUES(last_at));

-- mailpipe: message where automatic
INSERT INTO tickets (id, number, route, subject, requester, requester_name, owner_id, priority, first_at, last_at)
VALUES (:thread_id, :thread_number, :route, :subject, :from_email, :from_name, :owner_id, :priority,
	:received_at, :received_at)
ON DUPLICATE KEY UPDATE first_at = LEAST(first_at, VALUES(first_at)),
	last_at = GREATEST(last_at, VALUES(last_at));

-- mailpipe: message
INSERT INTO ticket_messages (id, ticket_id, direction, message_id, at, from_email, from_name, auto, text)
VALUES (:message_id, :thread_id, 'in', :message_id, :received_at, :from_email, :from_name, :auto, :text_reply);
