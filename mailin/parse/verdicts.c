#include "mailin/parse/verdicts.h"

#include <glib.h>
#include <string.h>

#include "common/authres.h"
#include "common/verdict.h"

static const char FIELD[] = "Authentication-Results";
static const char RECEIVED[] = "Received";
static const char SIGNATURE[] = "DKIM-Signature";

/* A field, and what is known of where it stands. */
struct place {
	const char *value;
	bool outside; /* nothing there is believed */
};

static void take(struct verdicts *verdicts, const struct place *place,
		 const struct document_job *job, const char *from_domain, struct defects *defects)
{
	struct verdicts ignored = {.spf = VERDICT_ABSENT};

	switch (verdicts_add(place->outside ? &ignored : verdicts, place->value, job->authserv_ids,
			     from_domain)) {
	case VERDICT_BELIEVED:
		if (place->outside)
			defect_note(defects, DEFECT_RESULTS_OUTSIDE);
		break;
	case VERDICT_FOREIGN:
		defect_note(defects, DEFECT_RESULTS_FOREIGN);
		break;
	case VERDICT_BROKEN:
		defect_note(defects, DEFECT_RESULTS_BROKEN);
		break;
	}
}

static bool misleads(const struct part *root)
{
	for (guint i = 0; i < root->fields->len; i++) {
		const struct field *field = &g_array_index(root->fields, struct field, i);

		if (span_is(field->name, SIGNATURE) &&
		    authres_misled_by(field->value.data, field->value.size))
			return true;
	}
	return false;
}

static struct wire *print(const struct verdicts *verdicts, const char *sasl_username)
{
	struct wire *object = wire_object();
	struct wire *aligned = wire_object();
	g_autofree char *authserv_id =
		g_ascii_strdown(verdicts->authserv_id != NULL ? verdicts->authserv_id : "", -1);

	wire_set_text(object, "SPF", verdict_name(verdicts->spf));
	wire_set_text(object, "DKIM", verdict_name(verdicts->dkim));
	wire_set_text(object, "DMARC", verdict_name(verdicts->dmarc));
	wire_set_text(object, "ARC", verdict_name(verdicts->arc));
	wire_set_text(object, "AuthservID", authserv_id);
	wire_set_bool(aligned, "SPF", verdicts->spf_aligned);
	wire_set_bool(aligned, "DKIM", verdicts->dkim_aligned);
	wire_set(object, "Aligned", aligned);
	wire_set_text(object, "SaslUsername", sasl_username != NULL ? sasl_username : "");
	return object;
}

static void read_fields(const struct part *root, const struct document_job *job,
			const char *from_domain, struct verdicts *verdicts, struct defects *defects)
{
	int64_t received = 0;

	for (guint i = 0; i < root->fields->len; i++) {
		const struct field *field = &g_array_index(root->fields, struct field, i);

		received += span_is(field->name, RECEIVED);
		if (!span_is(field->name, FIELD))
			continue;
		if (memchr(field->value.data, '\0', field->value.size) != NULL) {
			defect_note(defects, DEFECT_RESULTS_BROKEN);
			continue;
		}
		g_autofree char *value = g_strndup(field->value.data, field->value.size);
		const struct place place = {value, received >= job->authserv_hops};

		take(verdicts, &place, job, from_domain, defects);
	}
}

void verdicts_write(const struct part *root, const struct document_job *job,
		    const char *from_domain, struct wire *mailpipe, struct defects *defects)
{
	const struct wire *envelope = wire_get_object(mailpipe, "Envelope");
	struct verdicts verdicts = {.spf = VERDICT_ABSENT};

	if (*job->authserv_ids != NULL && misleads(root))
		defect_note(defects, DEFECT_RESULTS_MISLED);
	else if (*job->authserv_ids != NULL)
		read_fields(root, job, from_domain, &verdicts, defects);
	wire_set(mailpipe, "Verdicts", print(&verdicts, wire_get_text(envelope, "SaslUsername")));
}
