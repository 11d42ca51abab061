-- The target gallery: a row of gallery_photos for each photo of a mail.
--
-- The album is what stands after the + of the address, else the name before the @.  (Of a secret
-- address nothing stands after the + any more.)  The caption is subject and text, as far as the
-- poster wrote any.  Both are cut, for they stand in the row of every photo: a mail may have
-- hundreds, and megabytes of text, which messages has once.

-- mailpipe: attachment where photo
INSERT INTO gallery_photos (id, message_id, route, album, owner_id, posted_at, from_email, from_name,
	title, caption, position, name, content_type, size, width, height, orientation, sha256)
VALUES (:attachment_id, :message_id, :route,
	LEFT(COALESCE(NULLIF(:mailbox_hash, ''), SUBSTRING_INDEX(:recipient, '@', 1)), 255),
	:owner_id, :received_at, :from_email, LEFT(:from_name, 1000),
	NULLIF(TRIM(LEFT(:subject, 1000)), ''),
	NULLIF(CONCAT_WS(CHAR(10), NULLIF(TRIM(LEFT(:subject, 1000)), ''),
		NULLIF(TRIM(BOTH CHAR(10) FROM LEFT(:text_reply, 10000)), '')), ''),
	:attachment_position, :attachment_name, COALESCE(:attachment_detected_type, :attachment_type),
	:attachment_size, :image_width, :image_height, :image_orientation, :attachment_sha256);
