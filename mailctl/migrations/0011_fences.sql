-- Routes with serial = yes have one active worker at a time.  RabbitMQ decides which; a worker that
-- it has cut off does not know that yet, and must not commit any more.

CREATE TABLE IF NOT EXISTS fences (
	route VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	epoch BIGINT UNSIGNED NOT NULL COMMENT 'one more each time that a worker becomes the active one',
	connection_id BIGINT UNSIGNED NOT NULL COMMENT 'of that worker: killed by the next one if it stands in its way',
	taken_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
	PRIMARY KEY (route)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
COMMENT='Whose turn it is at routes with serial = yes';
