/*
 * The Attachments of an inbound document, checked: base64, ContentLength and Sha256 against the
 * bytes themselves, names without a path.
 */
#ifndef MAILIN_INGEST_ATTACHMENTS_H
#define MAILIN_INGEST_ATTACHMENTS_H

#include "mailin/ingest/reader.h"

/* Fills reader->inbound->attachments. */
void attachments_read(struct reader *reader, struct wire *document);

void attachments_free(struct inbound *inbound);

#endif
