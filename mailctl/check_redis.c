#include "common/redis.h"
#include "mailctl/check.h"
#include "mailctl/connect.h"

void check_redis(const struct config *config, struct report *report)
{
	static const char subject[] = "redis";
	struct reason reason = {0};

	if (!redis_configured(config))
		return;
	if (config->redis_expiry < config->retry_max_age)
		report_add(
			report, REPORT_WARNING, "config", "raise redis.expiry",
			"redis.expiry is shorter than retry.max_age: the state of a message that "
			"waits may be gone before it is decided");
	if (redis_check(config, connect_deadline(), &reason) != OUTCOME_OK)
		report_add(report, REPORT_ERROR, subject,
			   "mail does not need it, but front ends may", "%s", reason.text);
	else
		report_add(report, REPORT_OK, subject, NULL, "logs in, and sets a key");
}
