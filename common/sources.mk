COMMON_SOURCES = \
	common/deadline.c \
	common/id.c \
	common/log.c \
	common/outcome.c \
	common/route.c \
	common/sha256.c \
	common/stop.c \
	common/wire.c
