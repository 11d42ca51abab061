COMMON_SOURCES = \
	common/config.c \
	common/config_print.c \
	common/config_table.c \
	common/config_value.c \
	common/db.c \
	common/db_error.c \
	common/db_stmt.c \
	common/deadline.c \
	common/id.c \
	common/log.c \
	common/outcome.c \
	common/route.c \
	common/sha256.c \
	common/stop.c \
	common/wire.c
