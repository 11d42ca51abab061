# Shared by mailin and mailin-parse.
MAILIN_SOURCES = \
	mailin/document.c \
	mailin/input.c \
	mailin/options.c \
	mailin/parser.c

# What only mailin-ingest uses.
INGEST_SOURCES =
