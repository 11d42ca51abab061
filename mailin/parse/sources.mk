PARSE_SOURCES = \
	mailin/parse/auto.c \
	mailin/parse/detect.c \
	mailin/parse/filename.c \
	mailin/parse/flowed.c
