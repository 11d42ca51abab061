/* admit: what a registration asks for besides the route, and what "verified" means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailin/ingest/admit.h"

static const struct verdicts nothing;
static const struct verdicts failed = {.spf = VERDICT_FAIL, .dmarc = VERDICT_FAIL};
static const struct verdicts spf = {.spf = VERDICT_PASS, .spf_aligned = true};
static const struct verdicts dmarc = {.dmarc = VERDICT_PASS};

static enum admission admission(enum config_require require, struct inbound message)
{
	const struct config_route route = {.require = require};
	struct reason why;

	return admit(&route, &message, &why);
}

static void a_registration_asks_for_its_own_proof(void **state)
{
	struct inbound member = {.address_id = 1, .sender_registered = true, .own_proof = true};

	(void)state;
	/* More than the route. */
	member.proof = CONFIG_REQUIRE_DMARC;
	member.verdicts = spf;
	assert_int_equal(admission(CONFIG_REQUIRE_NONE, member), ADMIT_QUARANTINE);
	assert_int_equal(admission(CONFIG_REQUIRE_REGISTERED, member), ADMIT_QUARANTINE);
	member.verdicts = dmarc;
	assert_int_equal(admission(CONFIG_REQUIRE_NONE, member), ADMIT_YES);
	assert_int_equal(admission(CONFIG_REQUIRE_REGISTERED, member), ADMIT_YES);
	/* Less. */
	member.proof = CONFIG_REQUIRE_NONE;
	member.verdicts = failed;
	assert_int_equal(admission(CONFIG_REQUIRE_DMARC, member), ADMIT_YES);
	assert_int_equal(admission(CONFIG_REQUIRE_REGISTERED, member), ADMIT_YES);
	/* But it makes no token of a sender. */
	assert_int_equal(admission(CONFIG_REQUIRE_TOKEN, member), ADMIT_QUARANTINE);
}

static void a_token_may_need_a_proof_besides(void **state)
{
	struct inbound holder = {.address_id = 1, .token_ok = true, .verdicts = failed};

	(void)state;
	assert_int_equal(admission(CONFIG_REQUIRE_TOKEN, holder), ADMIT_YES);
	assert_int_equal(admission(CONFIG_REQUIRE_REGISTERED, holder), ADMIT_YES);
	assert_int_equal(admission(CONFIG_REQUIRE_DMARC, holder), ADMIT_QUARANTINE);
	holder.own_proof = true;
	holder.proof = CONFIG_REQUIRE_SPF_OR_DKIM;
	assert_int_equal(admission(CONFIG_REQUIRE_TOKEN, holder), ADMIT_QUARANTINE);
	holder.verdicts = spf;
	assert_int_equal(admission(CONFIG_REQUIRE_TOKEN, holder), ADMIT_YES);
}

static void the_reason_has_a_status(void **state)
{
	const struct config_route closed = {.require = CONFIG_REQUIRE_TOKEN,
					    .unverified = CONFIG_UNVERIFIED_REFUSE};
	const struct config_route strict = {.require = CONFIG_REQUIRE_DMARC,
					    .unverified = CONFIG_UNVERIFIED_ACCEPT};
	struct inbound message = {.verdicts = nothing};
	struct reason why;

	(void)state;
	assert_int_equal(admit(&closed, &message, &why), ADMIT_REFUSE);
	assert_string_equal(why.status, "5.7.1");
	assert_int_equal(admit(&strict, &message, &why), ADMIT_UNVERIFIED);
	assert_string_equal(why.status, "5.7.26");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_registration_asks_for_its_own_proof),
		cmocka_unit_test(a_token_may_need_a_proof_besides),
		cmocka_unit_test(the_reason_has_a_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
