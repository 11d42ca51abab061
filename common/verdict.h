/*
 * Verdicts about a mail's sender: what the Authentication-Results fields (RFC 8601) of believed
 * servers say of the domain in From, and of no other.
 *
 * SPF and DKIM prove something about domains that the sender chooses; they count for From only if
 * the domain is aligned to it (RFC 7489, 3.1: relaxed, both belong to the same organisation by the
 * public suffix list).  A dmarc result counts only if its header.from is the domain in From itself.
 * Of several results the one that says most for From counts.
 */
#ifndef COMMON_VERDICT_H
#define COMMON_VERDICT_H

#include <stdbool.h>

enum verdict_word {
	VERDICT_ABSENT, /* no believed field says anything */
	VERDICT_NONE,
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_SOFTFAIL,
	VERDICT_NEUTRAL,
	VERDICT_POLICY,
	VERDICT_TEMPERROR,
	VERDICT_PERMERROR,
	VERDICT_OTHER /* a word that RFC 8601 does not have */
};

/* "pass"; "" for VERDICT_ABSENT, "other" for VERDICT_OTHER. */
const char *verdict_name(enum verdict_word verdict);
/* The other way round; VERDICT_OTHER for what is no name. */
enum verdict_word verdict_named(const char *name);

struct verdicts {
	enum verdict_word spf;
	enum verdict_word dkim;
	enum verdict_word dmarc;
	enum verdict_word arc;
	bool spf_aligned; /* passed, for a domain that is aligned to From's */
	bool dkim_aligned;
	bool logged_in;          /* by SMTP AUTH; the caller knows */
	const char *authserv_id; /* the first that was believed, of the caller's list; or NULL */
};

/* Has anybody looked? */
bool verdicts_checked(const struct verdicts *verdicts);
/* Is the domain in From established, by DMARC, by aligned SPF or DKIM, or by a login? */
bool verdicts_establish(const struct verdicts *verdicts);
/* The same by DMARC or a login alone. */
bool verdicts_establish_dmarc(const struct verdicts *verdicts);

/* That authserv-id as it stands in the list, whatever its letter case; NULL if it does not.  NULL
 * at the list's end. */
const char *verdict_believes(char *const *authserv_ids, const char *authserv_id);

enum verdict_field {
	VERDICT_BELIEVED,
	VERDICT_FOREIGN, /* of a server that is not believed */
	VERDICT_BROKEN   /* breaks the grammar, so it is not even known whose it is */
};

/* Take one field into account (*verdicts begins as zeros).  `domain` is that of From, as it is
 * written there; "" if there is none, or more than one: then nothing is aligned to it. */
enum verdict_field verdicts_add(struct verdicts *verdicts, const char *value,
				char *const *authserv_ids, const char *domain);

#endif
