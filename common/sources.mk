COMMON_SOURCES = \
	common/broker.c \
	common/broker_consume.c \
	common/broker_dial.c \
	common/broker_frame.c \
	common/broker_publish.c \
	common/broker_topology.c \
	common/config.c \
	common/config_print.c \
	common/config_read.c \
	common/config_table.c \
	common/config_value.c \
	common/db.c \
	common/db_error.c \
	common/db_stmt.c \
	common/deadline.c \
	common/hostport.c \
	common/id.c \
	common/log.c \
	common/outcome.c \
	common/route.c \
	common/sha256.c \
	common/stop.c \
	common/topology.c \
	common/watchdog.c \
	common/wire.c
