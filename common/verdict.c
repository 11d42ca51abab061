#include "common/verdict.h"

#include <glib.h>
#include <string.h>

#include "common/authres.h"
#include "common/domain.h"

enum { VERSION_KNOWN = 1 };

/* RFC 8601, 2.7. */
static const char *const names[] = {
	[VERDICT_ABSENT] = "",
	[VERDICT_NONE] = "none",
	[VERDICT_PASS] = "pass",
	[VERDICT_FAIL] = "fail",
	[VERDICT_SOFTFAIL] = "softfail",
	[VERDICT_NEUTRAL] = "neutral",
	[VERDICT_POLICY] = "policy",
	[VERDICT_TEMPERROR] = "temperror",
	[VERDICT_PERMERROR] = "permerror",
	[VERDICT_OTHER] = "other",
};

const char *verdict_name(enum verdict_word verdict)
{
	return names[verdict];
}

enum verdict_word verdict_named(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum verdict_word)i;
	return VERDICT_OTHER;
}

bool verdicts_checked(const struct verdicts *verdicts)
{
	return verdicts->logged_in || verdicts->spf != VERDICT_ABSENT ||
	       verdicts->dkim != VERDICT_ABSENT || verdicts->dmarc != VERDICT_ABSENT;
}

bool verdicts_establish_dmarc(const struct verdicts *verdicts)
{
	return verdicts->logged_in || verdicts->dmarc == VERDICT_PASS;
}

bool verdicts_establish(const struct verdicts *verdicts)
{
	return verdicts_establish_dmarc(verdicts) || verdicts->spf_aligned ||
	       verdicts->dkim_aligned;
}

const char *verdict_believes(char *const *authserv_ids, const char *authserv_id)
{
	for (; *authserv_ids != NULL; authserv_ids++)
		if (g_ascii_strcasecmp(*authserv_ids, authserv_id) == 0)
			return *authserv_ids;
	return NULL;
}

/* ---- one result ---- */

/* The domain of a property that is a domain or an address, as domain_ascii(); NULL for none. */
static char *property_domain(const struct authres_result *result, const char *type,
			     const char *name)
{
	for (size_t i = 0; i < result->property_count; i++) {
		const struct authres_property *property = &result->properties[i];
		const char *at = strrchr(property->value, '@');

		if (strcmp(property->type, type) == 0 && strcmp(property->name, name) == 0)
			return domain_ascii(at != NULL ? at + 1 : property->value, NULL);
	}
	return NULL;
}

/* How much a verdict says for the mail. */
enum rank { RANK_ABSENT, RANK_NONE, RANK_OTHER, RANK_PASS, RANK_ALIGNED };

static enum rank rank_of(enum verdict_word verdict, bool aligned)
{
	switch (verdict) {
	case VERDICT_ABSENT:
		return RANK_ABSENT;
	case VERDICT_NONE:
		return RANK_NONE;
	case VERDICT_PASS:
		return aligned ? RANK_ALIGNED : RANK_PASS;
	case VERDICT_FAIL:
	case VERDICT_SOFTFAIL:
	case VERDICT_NEUTRAL:
	case VERDICT_POLICY:
	case VERDICT_TEMPERROR:
	case VERDICT_PERMERROR:
	case VERDICT_OTHER:
		break;
	}
	return RANK_OTHER;
}

static void take(enum verdict_word *verdict, bool *aligned, enum verdict_word found,
		 bool found_aligned)
{
	if (rank_of(found, found_aligned) <= rank_of(*verdict, *aligned))
		return;
	*verdict = found;
	*aligned = found_aligned;
}

static bool is_aligned(enum verdict_word found, const char *proven, const char *domain)
{
	return found == VERDICT_PASS && proven != NULL && domain_aligned(proven, domain);
}

static void add_result(struct verdicts *verdicts, const struct authres_result *result,
		       const char *domain)
{
	enum verdict_word found = verdict_named(result->result);
	bool no_alignment = false;
	g_autofree char *proven = NULL;

	if (strcmp(result->method, "spf") == 0) {
		proven = property_domain(result, "smtp", "mailfrom");
		take(&verdicts->spf, &verdicts->spf_aligned, found,
		     is_aligned(found, proven, domain));
	} else if (strcmp(result->method, "dkim") == 0) {
		/* RFC 6376, 3.5: i= is the domain of d= or one below it. */
		proven = property_domain(result, "header", "d");
		if (proven == NULL)
			proven = property_domain(result, "header", "i");
		take(&verdicts->dkim, &verdicts->dkim_aligned, found,
		     is_aligned(found, proven, domain));
	} else if (strcmp(result->method, "dmarc") == 0) {
		/* About whom?  A filter may have read From in another way than we. */
		proven = property_domain(result, "header", "from");
		if (proven != NULL && *domain != '\0' && strcmp(proven, domain) == 0)
			take(&verdicts->dmarc, &no_alignment, found, false);
	} else if (strcmp(result->method, "arc") == 0) {
		take(&verdicts->arc, &no_alignment, found, false);
	}
}

enum verdict_field verdicts_add(struct verdicts *verdicts, const char *value,
				char *const *authserv_ids, const char *domain)
{
	struct authres *authres = authres_parse(value);
	enum verdict_field field = VERDICT_BELIEVED;
	const char *believed = NULL;

	if (authres == NULL || authres->version != VERSION_KNOWN)
		field = VERDICT_BROKEN;
	else if ((believed = verdict_believes(authserv_ids, authres->authserv_id)) == NULL)
		field = VERDICT_FOREIGN;
	if (field == VERDICT_BELIEVED) {
		g_autofree char *ours = domain_ascii(domain, NULL);

		if (verdicts->authserv_id == NULL)
			verdicts->authserv_id = believed;
		for (size_t i = 0; i < authres->result_count; i++)
			if (authres->results[i].version == VERSION_KNOWN)
				add_result(verdicts, &authres->results[i],
					   ours != NULL ? ours : "");
	}
	authres_free(&authres);
	return field;
}
