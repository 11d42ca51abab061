-- A ticket for each thread, and what is written in it; see mailpipe-targets(7).
--
-- A message that begins a thread opens a ticket.  A later one opens it again, unless it is automatic
-- (an out-of-office reply, a bounce), which is only kept.  So all can be written with one statement
-- for many mails: what is there already counts.

-- mailpipe: message where not automatic
INSERT INTO tickets (id, number, route, subject, requester, requester_name, owner_id, priority, first_at, last_at)
VALUES (:thread_id, :thread_number, :route, :subject, :from_email, :from_name, :owner_id, :priority,
	:received_at, :received_at)
ON DUPLICATE KEY UPDATE status = 'open', last_at = GREATEST(last_at, VALUES(last_at));

-- mailpipe: message where automatic
INSERT INTO tickets (id, number, route, subject, requester, requester_name, owner_id, priority, first_at, last_at)
VALUES (:thread_id, :thread_number, :route, :subject, :from_email, :from_name, :owner_id, :priority,
	:received_at, :received_at)
ON DUPLICATE KEY UPDATE last_at = GREATEST(last_at, VALUES(last_at));

-- mailpipe: message
INSERT INTO ticket_messages (id, ticket_id, direction, message_id, at, from_email, from_name, auto, text)
VALUES (:message_id, :thread_id, 'in', :message_id, :received_at, :from_email, :from_name, :auto, :text_reply);
