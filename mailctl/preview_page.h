/*
 * The page of `mailctl preview`: one HTML file that needs nothing from anywhere.
 *
 * Mails are in sandboxed frames without scripts; the page's policy (Content-Security-Policy) keeps
 * them from fetching anything.
 */
#ifndef MAILCTL_PREVIEW_PAGE_H
#define MAILCTL_PREVIEW_PAGE_H

#include <glib.h>
#include <stdbool.h>

#include "common/wire.h"
#include "mailout/template_set.h"

/* Of mailctl/preview, compiled in. */
extern const char preview_css[];
extern const char preview_js[];

/* A template in one locale. */
struct preview_mail {
	const char *locale;              /* "": the default */
	const struct rendered *rendered; /* NULL: it cannot be rendered */
	const struct wire *model;        /* NULL: there is none */
	GPtrArray *problems;             /* texts */
};

struct preview_page;

struct preview_page *preview_page_new(void);
/* Begin a template; what follows is its mails.  description: its template.json, NULL if it is
 * broken. */
void preview_page_template(struct preview_page *page, const char *name,
			   const struct wire *description);
void preview_page_mail(struct preview_page *page, const struct preview_mail *mail);
/* The whole page, g_free() it; *page becomes NULL. */
char *preview_page_end(struct preview_page **page);

#endif
