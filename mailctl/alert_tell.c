#include "mailctl/alert_tell.h"

#include <glib.h>
#include <limits.h>
#include <sysexits.h>
#include <unistd.h>

#include "mailctl/alert_text.h"
#include "mailctl/way.h"

enum { VARIABLES = 4, ARGUMENTS_MAX = 4 };

bool alert_way_is_used(const struct config *config, enum alert_way way)
{
	switch (way) {
	case ALERT_MAIL:
		return config->alerts_to[0] != NULL;
	case ALERT_SMS:
		return config->alerts_sms_to[0] != NULL;
	case ALERT_COMMAND:
		return *config->alerts_command != '\0';
	case ALERT_URL:
		return *config->alerts_url != '\0';
	case ALERT_WAYS:
		break;
	}
	return false;
}

/* ---- what is run ---- */

struct job {
	enum alert_way way;
	const char *argv[ARGUMENTS_MAX + 1];
	char *environment[VARIABLES + 1];
	char *input;
};

static void job_clear(struct job *job)
{
	for (size_t i = 0; i < VARIABLES; i++)
		g_free(job->environment[i]);
	g_free(job->input);
}

/* Beside our own program's folder, so that a build tree, an installation and a relocated copy work
 * alike. */
static char *mailout_path(void)
{
	char self[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (size < 0)
		return g_strdup("mailout");
	self[size] = '\0';
	g_autofree char *folder = g_path_get_dirname(self);

	return g_build_filename(folder, "..", "sbin", "mailout", NULL);
}

static char *printed(struct wire *document)
{
	char *text = wire_print(document, false, NULL);

	wire_free(&document);
	return text;
}

static struct job mail_job(const struct config *config, const struct alert_notice *notice,
			   enum alert_way way, bool plain, const char *mailout)
{
	struct wire *request = alert_notice_request(notice, config, g_get_host_name(), way, plain);

	return (struct job){
		.way = way,
		.argv = {mailout, "--config", config->file, "--direct"},
		.input = printed(request),
	};
}

static struct job command_job(const struct config *config, const struct alert_notice *notice)
{
	g_autofree char *kinds = alert_notice_kinds(notice);
	struct job job = {
		.way = ALERT_COMMAND,
		/* The config is the operator's own; nothing of a stranger's is in the line. */
		.argv = {"/bin/sh", "-c", config->alerts_command},
		.input = alert_notice_text(notice, g_get_host_name()),
	};

	job.environment[0] = g_strdup_printf("MAILPIPE_ALERT=%s", alert_news_name(notice->news));
	job.environment[1] = g_strdup_printf("MAILPIPE_KINDS=%s", kinds);
	job.environment[2] = g_strdup_printf("MAILPIPE_CRITICAL=%s",
					     alert_notice_is_critical(notice) ? "yes" : "no");
	job.environment[3] = g_strdup_printf("MAILPIPE_HOST=%s", g_get_host_name());
	return job;
}

/* A value in curl's config file: quotes and backslashes are escaped (curl(1), --config). */
static void add_value(GString *to, const char *name, const char *value)
{
	g_string_append_printf(to, "%s = \"", name);
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(to, '\\');
		g_string_append_c(to, *p);
	}
	g_string_append(to, "\"\n");
}

/* All by standard input: the address may hold a secret, and everybody can read an argv. */
static struct job url_job(const struct config *config, const struct alert_notice *notice,
			  int64_t now_ms)
{
	g_autofree char *document =
		printed(alert_notice_json(notice, g_get_host_name(), config->instance, now_ms));
	GString *text = g_string_new("silent\nshow-error\nfail\n");

	add_value(text, "proto", "=http,https");
	add_value(text, "url", config->alerts_url);
	add_value(text, "header", "Content-Type: application/json");
	add_value(text, "data-raw", document);
	return (struct job){
		.way = ALERT_URL,
		.argv = {"curl", "--disable", "--config", "-"}, /* no ~/.curlrc */
		.input = g_string_free(text, FALSE),
	};
}

/* ---- running it ---- */

/* mailout --direct has sent it to some, and the others will never get it. */
static bool is_partial(const struct job *job, int status)
{
	return job->way <= ALERT_SMS && status == EX_UNAVAILABLE;
}

static void note(const struct job *job, const struct way *ran, int64_t timeout_ms,
		 struct alert_telling *telling)
{
	telling->worked = ran->status == 0 || is_partial(job, ran->status);
	telling->killed = ran->killed;
	if (ran->status == 0 || telling->why != NULL)
		return; /* that it works without the template does not mend the template */
	if (ran->killed)
		telling->why = g_strdup_printf("was not done after %" G_GINT64_FORMAT
					       " ms and has been killed",
					       timeout_ms);
	else
		telling->why = g_strdup_printf("status %d%s%s", ran->status,
					       *ran->said != '\0' ? ": " : "", ran->said);
}

static void run(const struct config *config, struct job *jobs, size_t count,
		struct alert_telling tellings[ALERT_WAYS])
{
	struct way ways[ALERT_WAYS] = {{.said = NULL}};

	for (size_t i = 0; i < count; i++) {
		ways[i].argv = jobs[i].argv;
		ways[i].environment = (const char *const *)jobs[i].environment;
		ways[i].input = jobs[i].input;
	}
	way_run(ways, count, config->alerts_timeout);
	for (size_t i = 0; i < count; i++) {
		note(&jobs[i], &ways[i], config->alerts_timeout, &tellings[jobs[i].way]);
		g_free(ways[i].said);
		job_clear(&jobs[i]);
	}
}

void alert_tell(const struct config *config, struct alert_telling tellings[ALERT_WAYS],
		int64_t now_ms)
{
	g_autofree char *mailout = mailout_path();
	struct job jobs[ALERT_WAYS];
	size_t count = 0;

	for (int way = 0; way < ALERT_WAYS; way++) {
		const struct alert_notice *notice = &tellings[way].notice;

		if (!tellings[way].wanted)
			continue;
		jobs[count++] = way == ALERT_COMMAND ? command_job(config, notice)
				: way == ALERT_URL   ? url_job(config, notice, now_ms)
						   : mail_job(config, notice, way, false, mailout);
	}
	run(config, jobs, count, tellings);
	count = 0;
	for (int way = ALERT_MAIL; way <= ALERT_SMS; way++)
		if (tellings[way].wanted && !tellings[way].worked && !tellings[way].killed)
			jobs[count++] = mail_job(config, &tellings[way].notice, way, true, mailout);
	run(config, jobs, count, tellings);
}
