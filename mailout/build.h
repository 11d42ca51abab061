/*
 * A checked request and its rendered parts to a MIME message, by GMime.
 *
 * 7-bit safe for any relay (RFC 5322, 2045 to 2049); multipart/alternative, related and mixed as
 * needed; CRLF line ends, a stable Message-ID from the request's id, Bcc never in the headers.
 */
#ifndef MAILOUT_BUILD_H
#define MAILOUT_BUILD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailout/request.h"
#include "mailout/template_set.h"

/* Once per process. */
void build_init(void);

struct build_input {
	const struct request *request; /* with its From set */
	const struct rendered
		*rendered; /* NULL: the request's own Subject, TextBody and HtmlBody */
	const struct config *config;
	int64_t date;         /* seconds since 1970 */
	const char *boundary; /* begins all boundaries; NULL: random, which nobody can guess */
	char **text_made;     /* gets the text that was made of HTML, or NULL; g_free() it.  May be
				 NULL */
};

/* The whole message with CRLF, g_bytes_unref() it.  NULL with *outcome and a reason (REJECT: too
 * large, a subject of several lines ...; RETRY: a stored attachment was not fetched, no text can be
 * made of HTML). */
GBytes *build_message(const struct build_input *input, enum outcome *outcome,
		      struct reason *reason);

/* Does nobody in person write it: has it Auto-Submitted, by the request or its template?  It also
 * gets X-Loop then (config_loop()). */
bool build_is_automatic(const struct request *request, const struct rendered *rendered);

/* The Message-ID of a request without angle brackets: "<id>@<domain of From>"; g_free() it. */
char *build_message_id(const struct request *request, const char *from_email);

#endif
