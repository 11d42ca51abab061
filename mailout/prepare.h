/*
 * From a checked request to its MIME message: template, From, and the building.
 */
#ifndef MAILOUT_PREPARE_H
#define MAILOUT_PREPARE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailout/request.h"
#include "mailout/template_set.h"

/* The template folders of the config, within its limits. */
struct template_set *prepare_templates(const struct config *config,
				       void (*complain)(const char *text, void *context),
				       void *context);

struct prepared {
	GBytes *message; /* CRLF */
	char *subject;
	char *message_id; /* without angle brackets */
	char *text;       /* these are for a request with a thread only */
	char *html;
	bool automatic; /* the template or the request says so: Auto-Submitted */
};

/* Stored attachments must have been fetched.  Sets the request's From if it has none.  After a
 * failure there is as much of `prepared` as was known by then. */
enum outcome prepare(const struct config *config, struct template_set *templates,
		     struct request *request, int64_t now_s, struct prepared *prepared,
		     struct reason *reason);
void prepared_clear(struct prepared *prepared);

#endif
