/*
 * The rows of mails: blobs, messages and attachments, by multi-row prepared statements.
 */
#ifndef MAILIN_INGEST_INSERT_H
#define MAILIN_INGEST_INSERT_H

#include <stddef.h>

#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct insert;

struct insert *insert_new(struct db *db); /* borrowed; must outlive this */
void insert_free(struct insert **insert);

/* Within a transaction: messages that are not there yet, in the order of their ids. */
enum outcome insert_mails(struct insert *insert, struct inbound *const *messages, size_t count,
			  struct reason *reason);

#endif
