/*
 * Mailpipe.Verdicts: what believed servers found out about the sender (common/verdict.h).
 */
#ifndef MAILIN_PARSE_VERDICTS_H
#define MAILIN_PARSE_VERDICTS_H

#include "common/wire.h"
#include "mailin/document.h"
#include "mailin/parse/defect.h"
#include "mailin/parse/mime.h"

/*
 * Set it from the mail's Authentication-Results fields that stand above the job's Received field;
 * from none of them if a signature is one that filters are misled by.  from_domain is "" if there
 * is none, or more than one.  If any server is believed, fields of others are a defect, and those
 * that nobody can read, and those of our servers that came from outside.
 */
void verdicts_write(const struct part *root, const struct document_job *job,
		    const char *from_domain, struct wire *mailpipe, struct defects *defects);

#endif
