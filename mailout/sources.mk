MAILOUT_SOURCES = \
	mailout/model.c \
	mailout/mustache.c \
	mailout/mustache_compile.c \
	mailout/rate.c \
	mailout/sentlog.c
