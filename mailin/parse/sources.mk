PARSE_SOURCES = \
	mailin/parse/address.c \
	mailin/parse/attach.c \
	mailin/parse/auto.c \
	mailin/parse/body.c \
	mailin/parse/charset.c \
	mailin/parse/charset_decode.c \
	mailin/parse/charset_table.c \
	mailin/parse/date.c \
	mailin/parse/defect.c \
	mailin/parse/detect.c \
	mailin/parse/encoded_word.c \
	mailin/parse/filename.c \
	mailin/parse/flowed.c \
	mailin/parse/mime.c \
	mailin/parse/param.c \
	mailin/parse/parse.c \
	mailin/parse/reply.c \
	mailin/parse/sandbox.c \
	mailin/parse/tnef.c \
	mailin/parse/tnef_stream.c \
	mailin/parse/transfer.c
