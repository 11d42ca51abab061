-- Images: their dimensions beside each attachment; attachments that a route does not take; and what
-- the target gallery makes of a mail's photos.

SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',
	'ALTER TABLE attachments
		ADD COLUMN image_width INT UNSIGNED NULL COMMENT ''pixels, as they stand in the file; NULL: no image'',
		ADD COLUMN image_height INT UNSIGNED NULL,
		ADD COLUMN image_orientation TINYINT UNSIGNED NULL COMMENT ''1 to 8 as in EXIF: how a viewer turns it; from 5 on width and height change places''')
	FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'attachments' AND column_name = 'image_width');
PREPARE mailpipe_statement FROM @mailpipe_sql;
EXECUTE mailpipe_statement;
DEALLOCATE PREPARE mailpipe_statement;

CREATE TABLE IF NOT EXISTS refused_attachments (
	message_id BINARY(16) NOT NULL,
	position INT UNSIGNED NOT NULL COMMENT 'order in the mail, from 0, as in attachments',
	name VARCHAR(1024) NOT NULL,
	content_type VARCHAR(255) NOT NULL DEFAULT '',
	detected_type VARCHAR(255) NOT NULL DEFAULT '',
	size BIGINT UNSIGNED NOT NULL COMMENT 'bytes',
	sha256 BINARY(32) NOT NULL COMMENT 'of its bytes, which are not kept',
	reason ENUM('type', 'name', 'size', 'count', 'no-photo')
		CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'what of it the route does not take',
	PRIMARY KEY (message_id, position),
	CONSTRAINT refused_attachments_message FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Attachments that a route does not take: their mail is stored without them';

CREATE TABLE IF NOT EXISTS gallery_photos (
	id BINARY(16) NOT NULL COMMENT 'of the attachment',
	message_id BINARY(16) NOT NULL,
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	album VARCHAR(255) NOT NULL COMMENT 'what stands after the + of the address; for a secret address or one without, its name',
	owner_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'whose address or token it is; NULL: nobody''s',
	posted_at DATETIME(3) NOT NULL COMMENT 'when the mail arrived',
	from_email VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
	from_name MEDIUMTEXT NULL,
	title MEDIUMTEXT NULL COMMENT 'the subject; NULL: none',
	caption LONGTEXT NULL COMMENT 'subject and text, as far as there are any',
	position INT UNSIGNED NOT NULL COMMENT 'order in the mail, as in attachments',
	name VARCHAR(1024) NOT NULL COMMENT 'of the file',
	content_type VARCHAR(255) NOT NULL COMMENT 'by content',
	size BIGINT UNSIGNED NOT NULL COMMENT 'bytes',
	width INT UNSIGNED NOT NULL COMMENT 'pixels, as they stand in the file',
	height INT UNSIGNED NOT NULL,
	orientation TINYINT UNSIGNED NOT NULL COMMENT '1 to 8 as in EXIF: how a viewer turns it; from 5 on width and height change places',
	sha256 BINARY(32) NOT NULL COMMENT 'of its bytes, in blobs',
	PRIMARY KEY (id),
	KEY gallery_photos_album (route, album(64), posted_at),
	KEY gallery_photos_owner (owner_id(64), posted_at),
	KEY gallery_photos_message (message_id, position),
	CONSTRAINT gallery_photos_attachment FOREIGN KEY (id) REFERENCES attachments (id) ON DELETE CASCADE,
	CONSTRAINT gallery_photos_message_id FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='The target gallery: one row per photo; its bytes are in blobs';

CREATE OR REPLACE SQL SECURITY INVOKER VIEW attachments_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(a.id), 1, 8), SUBSTR(HEX(a.id), 9, 4), SUBSTR(HEX(a.id), 13, 4),
		SUBSTR(HEX(a.id), 17, 4), SUBSTR(HEX(a.id), 21, 12))) AS id,
	LOWER(CONCAT_WS('-', SUBSTR(HEX(a.message_id), 1, 8), SUBSTR(HEX(a.message_id), 9, 4),
		SUBSTR(HEX(a.message_id), 13, 4), SUBSTR(HEX(a.message_id), 17, 4),
		SUBSTR(HEX(a.message_id), 21, 12))) AS message_id,
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
	LOWER(CONCAT_WS('-', SUBSTR(HEX(r.message_id), 1, 8), SUBSTR(HEX(r.message_id), 9, 4),
		SUBSTR(HEX(r.message_id), 13, 4), SUBSTR(HEX(r.message_id), 17, 4),
		SUBSTR(HEX(r.message_id), 21, 12))) AS message_id,
	r.position,
	r.name,
	r.content_type,
	r.detected_type,
	r.size,
	r.reason,
	LOWER(HEX(r.sha256)) AS sha256
FROM refused_attachments r;

-- shown_width and shown_height: as a viewer shows it that heeds the orientation.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW gallery_photos_readable AS
SELECT
	LOWER(CONCAT_WS('-', SUBSTR(HEX(p.id), 1, 8), SUBSTR(HEX(p.id), 9, 4), SUBSTR(HEX(p.id), 13, 4),
		SUBSTR(HEX(p.id), 17, 4), SUBSTR(HEX(p.id), 21, 12))) AS id,
	LOWER(CONCAT_WS('-', SUBSTR(HEX(p.message_id), 1, 8), SUBSTR(HEX(p.message_id), 9, 4),
		SUBSTR(HEX(p.message_id), 13, 4), SUBSTR(HEX(p.message_id), 17, 4),
		SUBSTR(HEX(p.message_id), 21, 12))) AS message_id,
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
