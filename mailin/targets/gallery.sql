-- The target gallery: a row of gallery_photos for each photo of a mail.
--
-- The album is what stands after the + of the address, else the name before the @.  (Of a secret
-- address nothing stands after the + any more.)  The caption is subject and text, as far as the
-- poster wrote any.

-- mailpipe: attachment where photo
INSERT INTO gallery_photos (id, message_id, route, album, owner_id, posted_at, from_email, from_name,
	title, caption, position, name, content_type, size, width, height, orientation, sha256)
VALUES (:attachment_id, :message_id, :route,
	LEFT(COALESCE(NULLIF(:mailbox_hash, ''), SUBSTRING_INDEX(:recipient, '@', 1)), 255),
	:owner_id, :received_at, :from_email, :from_name,
	NULLIF(TRIM(:subject), ''),
	NULLIF(CONCAT_WS(CHAR(10), NULLIF(TRIM(:subject), ''), NULLIF(TRIM(BOTH CHAR(10) FROM :text_reply), '')), ''),
	:attachment_position, :attachment_name, COALESCE(:attachment_detected_type, :attachment_type),
	:attachment_size, :image_width, :image_height, :image_orientation, :attachment_sha256);
