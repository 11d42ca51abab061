/*
 * Authentication-Results fields (RFC 8601): what a mail server found out about a mail's sender.
 *
 * The grammar is that of section 2.2: comments and quoted strings, a version, several results with
 * a reason and properties each.  A field that breaks it tells nothing.  The only leniency: a ';' at
 * the end, which some filters write.
 *
 * Whether a field can be believed is the caller's to know: by the authserv-id, if the mail server
 * removes forged ones (section 5).
 */
#ifndef COMMON_AUTHRES_H
#define COMMON_AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

/* "smtp.mailfrom=ann@example.com": ptype, property, pvalue. */
struct authres_property {
	char *type;
	char *name;
	char *value; /* without quotes */
};

/* Names and results are lower case. */
struct authres_result {
	char *method; /* "spf" */
	int version;  /* of the method; 1 if it says none */
	char *result; /* "pass" */
	char *reason; /* NULL for none */
	struct authres_property *properties;
	size_t property_count;
};

struct authres {
	char *authserv_id;              /* lower case */
	int version;                    /* 1 if it says none */
	struct authres_result *results; /* none for "none" */
	size_t result_count;
	char *text; /* all words above */
};

/* The field's value, folded or not.  NULL if it breaks the grammar, or has more than
 * AUTHRES_RESULTS_MAX results or as many properties of one. */
enum { AUTHRES_RESULTS_MAX = 100 };
struct authres *authres_parse(const char *value);
void authres_free(struct authres **authres);

/*
 * A DKIM-Signature field: is its identity (i=, whose local part the signer chooses and may encode,
 * RFC 6376, 2.11) one that could become a result of its own in the field of a filter which copies
 * it without quotes, as OpenDKIM 2.11 does: "i=a=3B=20dkim=3Dpass=20header.d=3Dbank.example=20..."?
 */
bool authres_misled_by(const char *signature, size_t size);

/*
 * Does it establish that a mail with an envelope sender at `domain` (from domain_ascii()) has been
 * sent by that domain's leave?  By spf=pass for smtp.mailfrom at just that domain; or, if
 * is_from, by dkim=pass with header.d or dmarc=pass with header.from being that domain or one
 * above it (which controls it; not one below, for which a list of public suffixes would be
 * needed).  Of versions other than 1 nothing counts.
 *
 * is_from: the envelope sender is the address in From.  Signatures cover From and no envelope: who
 * has an account at a provider could send what it has signed once more, in the name of any other.
 */
bool authres_establishes(const struct authres *authres, const char *domain, bool is_from);

#endif
