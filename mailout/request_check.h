/*
 * Internal to mailout/request*.c: reads the members of a request's objects by tables, and remembers
 * what is wrong.
 *
 * The first failure sticks: later calls do nothing and keep its reason, so that callers read
 * straight on.
 */
#ifndef MAILOUT_REQUEST_CHECK_H
#define MAILOUT_REQUEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/outcome.h"
#include "common/wire.h"
#include "mailout/request.h"

/* Of a value's place in the request ("Attachments[2].Content") in reasons; longer ones are cut. */
enum { CHECK_PATH_MAX = 160 };

struct check {
	const struct config *config;
	struct reason *reason;
	bool failed;
	int64_t recipients; /* in To, Cc and Bcc so far */
};

struct check_field;

/* Reads a value that is not null into `to`, the structure of its object. */
typedef void check_reader(struct check *check, const struct check_field *field, const char *path,
			  const struct wire *value, void *to);

struct check_field {
	const char *name;
	check_reader *read;
	size_t offset; /* of the member to fill */
	size_t max;    /* bytes of a text; 0: what a request may have at all */
};

__attribute__((format(printf, 3, 4))) void check_fail(struct check *check, const char *path,
						      const char *format, ...);
/* With another status than 5.6.0. */
__attribute__((format(printf, 4, 5))) void check_fail_as(struct check *check, const char *status,
							 const char *path, const char *format, ...);

/* Read all members; null counts as missing, a name that the table lacks is a failure.  `path` is
 * the object's place. */
void check_object(struct check *check, const char *path, const struct wire *value,
		  const struct check_field *fields, size_t count, void *to);

/* Readers for tables.  Texts go to a char *, which they replace. */
check_reader check_text; /* no NUL */
check_reader
	check_line; /* goes into a header or a log: no control characters, tabs become blanks */
check_reader check_bool;

/* A value's text, or NULL after a failure. */
const char *check_string(struct check *check, const char *path, const struct wire *value,
			 size_t max);
bool check_is_line(struct check *check, const char *path, const char *text);

/* ---- addresses (request_address.c) ---- */

check_reader check_mailbox;    /* struct address: exactly one */
check_reader check_recipients; /* struct address_list, counted over all of them */
check_reader check_reply_to;   /* struct address_list */
void check_mailbox_text(struct check *check, const char *path, const char *text,
			struct address *to);
void check_address(struct check *check, const char *path, const char *email, const char *name,
		   struct address *to);
void address_clear(struct address *address);
void address_list_clear(struct address_list *list);

/* ---- parts of a request: all fill members of struct request ---- */

check_reader check_headers; /* request_header.c */
check_reader check_unsubscribe;
check_reader check_metadata;
check_reader check_attachments; /* request_attachment.c */
check_reader check_time;        /* request_time.c: int64_t, seconds since 1970 */

void request_header_clear(struct request_header *header);
void request_attachment_clear(struct request_attachment *attachment);

#endif
