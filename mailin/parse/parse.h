/*
 * A mail's bytes to the fields of the inbound document.  Runs in the sandboxed process
 * mailin-parse.
 *
 * Whatever the bytes are, it succeeds: what is wrong or cut is named in Mailpipe.Defects.
 */
#ifndef MAILIN_PARSE_PARSE_H
#define MAILIN_PARSE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "mailin/document.h"

/* Once, before the sandbox closes: what needs files and does not depend on the mail. */
void parse_init(void);

/* Before the sandbox closes, too: the charsets that the mail names, and the libraries that it
 * needs. False if one for its images or archives is not there, which is not the mail's fault. */
bool parse_prepare(const char *mail, size_t size);

/*
 * Adds From ... Attachments and the rest of Mailpipe to the job's document.  Mailpipe.Raw is added
 * as the job's `raw` says; CONFIG_RAW_DEFECT means: when a defect tells that the document lacks
 * something of the mail. The mail must outlive the document, and so must this call's other buffers:
 * free with parse_deinit().
 */
void parse_mail(const char *mail, size_t size, const struct document_job *job);

/* After the documents are freed. */
void parse_deinit(void);

#endif
