/*
 * Is this automatic mail?  RFC 3834 and its kin.
 */
#ifndef MAILIN_PARSE_AUTO_H
#define MAILIN_PARSE_AUTO_H

/* All header fields that matter are asked by name; the answer is the decoded value of the first
 * field of that name, or NULL. */
typedef const char *(*auto_header)(const char *name, void *context);

/*
 * "no", or the kind: "bounce" (null sender or multipart/report), "replied" (vacation, out of
 * office: Auto-Submitted: auto-replied, X-Autoreply, X-Autorespond, Precedence: auto_reply,
 * X-Auto-Response-Suppress with a reply's subject ...), "generated" (Auto-Submitted: auto-generated
 * and other values but "no", Feedback-ID and the like are not enough), "list" (List-Id,
 * List-Unsubscribe, Precedence: list), "bulk" (Precedence: bulk or junk). `sender` is the envelope
 * sender, `content_type` the mail's media type ("multipart/report").
 */
const char *auto_kind(const char *sender, const char *content_type, auto_header header,
		      void *context);

#endif
