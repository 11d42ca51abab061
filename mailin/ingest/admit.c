#include "mailin/ingest/admit.h"

#include <glib.h>

#include "mailin/ingest/policy.h"

/* RFC 7372, 3.3; RFC 3463, 3.8. */
static const char STATUS_UNAUTHENTICATED[] = "5.7.26";
static const char STATUS_UNAUTHORIZED[] = "5.7.1";

/* ---- what is required ---- */

struct need {
	bool token;
	bool registered;
	enum config_require proof; /* CONFIG_REQUIRE_NONE, _SPF_OR_DKIM or _DMARC */
};

static bool is_proof(int64_t require)
{
	return require == CONFIG_REQUIRE_NONE || require == CONFIG_REQUIRE_SPF_OR_DKIM ||
	       require == CONFIG_REQUIRE_DMARC;
}

/* What a registration asks for takes the place of the route's proof; whom the route is for stays.
 */
static struct need need_of(const struct config_route *route, const struct inbound *message)
{
	struct need need = {
		.token = route->require == CONFIG_REQUIRE_TOKEN,
		.registered = route->require == CONFIG_REQUIRE_REGISTERED,
		.proof = CONFIG_REQUIRE_NONE,
	};

	if (message->own_proof)
		need.proof = (enum config_require)message->proof;
	else if (is_proof(route->require))
		need.proof = (enum config_require)route->require;
	else if (need.registered && !message->token_ok)
		need.proof = CONFIG_REQUIRE_SPF_OR_DKIM;
	return need;
}

static bool asks(const struct need *need)
{
	return need->token || need->registered || need->proof != CONFIG_REQUIRE_NONE;
}

/* ---- what is there ---- */

static const char *told(enum verdict_word verdict)
{
	return verdict == VERDICT_ABSENT ? "?" : verdict_name(verdict);
}

static const char *alignment(enum verdict_word verdict, bool aligned)
{
	return verdict == VERDICT_PASS && !aligned ? " (for another domain)" : "";
}

static bool is_proven(const struct need *need, const struct inbound *message, struct reason *why)
{
	const struct verdicts *v = &message->verdicts;
	bool dmarc = need->proof == CONFIG_REQUIRE_DMARC;

	if (need->proof == CONFIG_REQUIRE_NONE ||
	    (dmarc ? verdicts_establish_dmarc(v) : verdicts_establish(v)))
		return true;
	if (!verdicts_checked(v))
		outcome_reject(why, STATUS_UNAUTHENTICATED,
			       "the sender is not known: no result of a believed server");
	else
		outcome_reject(why, STATUS_UNAUTHENTICATED,
			       "the sender's domain is not established%s: spf=%s%s dkim=%s%s "
			       "dmarc=%s",
			       dmarc ? " by DMARC" : "", told(v->spf),
			       alignment(v->spf, v->spf_aligned), told(v->dkim),
			       alignment(v->dkim, v->dkim_aligned), told(v->dmarc));
	return false;
}

static bool is_fulfilled(const struct need *need, const struct inbound *message, struct reason *why)
{
	if (need->token && !message->token_ok)
		outcome_reject(why, STATUS_UNAUTHORIZED,
			       "the address written to has no token that is valid for its sender");
	else if (need->registered && !message->sender_registered && !message->token_ok)
		outcome_reject(why, STATUS_UNAUTHORIZED,
			       "the sender is not registered for the address written to");
	else
		return is_proven(need, message, why);
	return false;
}

enum admission admit(const struct config_route *route, const struct inbound *message,
		     struct reason *why)
{
	static const enum admission lacking[] = {
		[CONFIG_UNVERIFIED_QUARANTINE] = ADMIT_QUARANTINE,
		[CONFIG_UNVERIFIED_REFUSE] = ADMIT_REFUSE,
		[CONFIG_UNVERIFIED_ACCEPT] = ADMIT_UNVERIFIED,
	};
	struct need need = need_of(route, message);

	return is_fulfilled(&need, message, why) ? ADMIT_YES : lacking[route->unverified];
}

/* ---- the message ---- */

/* Where nothing is required, whether From is true. */
static enum inbound_verified verified(const struct config_route *route,
				      const struct inbound *message)
{
	struct need need = need_of(route, message);

	if (asks(&need) || verdicts_establish(&message->verdicts))
		return INBOUND_VERIFIED;
	return verdicts_checked(&message->verdicts) ? INBOUND_UNVERIFIED : INBOUND_UNCHECKED;
}

void admit_message(const struct config *config, struct inbound *message)
{
	const struct config_route *route = config_route_named(config, message->route.data);
	struct reason why = {{0}, {0}};

	switch (admit(route, message, &why)) {
	case ADMIT_YES:
		message->verified = verified(route, message);
		policy_enforce(message);
		return;
	case ADMIT_UNVERIFIED:
		policy_enforce(message);
		break;
	case ADMIT_QUARANTINE:
		message->quarantined = true;
		message->why = why;
		break;
	case ADMIT_REFUSE:
		inbound_reject(message, why.status, "%s", why.text);
		break;
	}
	message->verified = INBOUND_UNVERIFIED;
}
