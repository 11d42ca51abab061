#include "mailctl/report.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "common/wire.h"

static const char *const level_names[] = {
	[REPORT_OK] = "ok", [REPORT_WARNING] = "warning", [REPORT_ERROR] = "error"};

struct report {
	struct wire *findings; /* NULL unless JSON is wanted */
	int counts[REPORT_ERROR + 1];
};

struct report *report_new(bool json)
{
	struct report *report = g_new0(struct report, 1);

	report->findings = json ? wire_array() : NULL;
	return report;
}

void report_add(struct report *report, enum report_level level, const char *subject,
		const char *advice, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	report->counts[level]++;
	if (report->findings == NULL) {
		printf("%-8s %s: %s%s%s\n", level_names[level], subject, text,
		       advice != NULL ? "; " : "", advice != NULL ? advice : "");
		fflush(stdout);
		return;
	}
	struct wire *finding = wire_object();

	wire_set_text(finding, "Level", level_names[level]);
	wire_set_text(finding, "Subject", subject);
	wire_set_text(finding, "Text", text);
	wire_set_text(finding, "Advice", advice);
	wire_append(report->findings, finding);
}

void report_count_error(struct report *report)
{
	report->counts[REPORT_ERROR]++;
}

bool report_end(struct report **report)
{
	struct report *old = *report;
	bool fine = old->counts[REPORT_ERROR] == 0;

	if (old->findings == NULL) {
		printf("errors: %d, warnings: %d\n", old->counts[REPORT_ERROR],
		       old->counts[REPORT_WARNING]);
	} else {
		struct wire *document = wire_object();

		wire_set_int(document, "Errors", old->counts[REPORT_ERROR]);
		wire_set_int(document, "Warnings", old->counts[REPORT_WARNING]);
		wire_set(document, "Findings", old->findings);
		fflush(stdout);
		wire_write(document, STDOUT_FILENO, true);
		wire_free(&document);
	}
	g_free(old);
	*report = NULL;
	return fine;
}
