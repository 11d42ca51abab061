/*
 * Which parts are the bodies and which the attachments (RFC 8621, 4.1.4), and the bodies' text.
 */
#ifndef MAILIN_PARSE_BODY_H
#define MAILIN_PARSE_BODY_H

#include <glib.h>

#include "common/config.h"
#include "common/html_mark.h"
#include "mailin/parse/mime.h"

/* All borrowed parts, in the mail's order; each array is owned, body_choice_clear() it. */
struct body_choice {
	GPtrArray *text;
	GPtrArray *html;
	GPtrArray *attachments;
};

void body_choose(const struct part *root, struct body_choice *choice);
void body_choice_clear(struct body_choice *choice);

/*
 * The bodies as UTF-8 with LF and without NUL, each at most limits.body_bytes.  text: plain parts,
 * and HTML parts made text where there is no plain one; html: HTML parts, with plain parts between
 * them marked up; empty if there is no HTML part at all.  g_free() both.
 * Where text was made from HTML its quotes are appended to `marks` (struct html_mark).
 */
char *body_text(const struct body_choice *choice, const struct config_limits *limits, GArray *marks,
		struct defects *defects);
char *body_html(const struct body_choice *choice, const struct config_limits *limits,
		struct defects *defects);

/* The text of HTML that is no part of the mail; g_free() it. */
char *body_text_of_html(const char *html, const struct config_limits *limits, GArray *marks,
			struct defects *defects);

/* Cut to `limit` bytes, not within a character; a defect if it was longer. */
void body_cut(GString *text, int64_t limit, struct defects *defects);

#endif
