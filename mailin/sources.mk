# Shared by mailin and mailin-parse.
MAILIN_SOURCES =

# What only mailin-ingest uses.
INGEST_SOURCES =
