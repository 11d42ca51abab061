#include "mailin/parse/verdicts.h"

#include <glib.h>

#include "common/authres.h"
#include "common/verdict.h"

static const char FIELD[] = "Authentication-Results";

/* The id of a field that was believed; g_free() it. */
static char *id_of(const char *value)
{
	struct authres *authres = authres_parse(value);
	char *id = g_strdup(authres->authserv_id);

	authres_free(&authres);
	return id;
}

static void take(struct verdicts *verdicts, const struct field *field, char *const *authserv_ids,
		 const char *from_domain, char **authserv_id, struct defects *defects)
{
	g_autofree char *value = g_strndup(field->value.data, field->value.size);

	switch (verdicts_add(verdicts, value, authserv_ids, from_domain)) {
	case VERDICT_BELIEVED:
		if (*authserv_id == NULL)
			*authserv_id = id_of(value);
		break;
	case VERDICT_FOREIGN:
		defect_note(defects, DEFECT_RESULTS_FOREIGN);
		break;
	case VERDICT_BROKEN:
		defect_note(defects, DEFECT_RESULTS_BROKEN);
		break;
	}
}

static struct wire *print(const struct verdicts *verdicts, const char *authserv_id,
			  const char *sasl_username)
{
	struct wire *object = wire_object();
	struct wire *aligned = wire_object();

	wire_set_text(object, "SPF", verdict_name(verdicts->spf));
	wire_set_text(object, "DKIM", verdict_name(verdicts->dkim));
	wire_set_text(object, "DMARC", verdict_name(verdicts->dmarc));
	wire_set_text(object, "ARC", verdict_name(verdicts->arc));
	wire_set_text(object, "AuthservID", authserv_id != NULL ? authserv_id : "");
	wire_set_bool(aligned, "SPF", verdicts->spf_aligned);
	wire_set_bool(aligned, "DKIM", verdicts->dkim_aligned);
	wire_set(object, "Aligned", aligned);
	wire_set_text(object, "SaslUsername", sasl_username != NULL ? sasl_username : "");
	return object;
}

void verdicts_write(const struct part *root, char *const *authserv_ids, const char *from_domain,
		    struct wire *mailpipe, struct defects *defects)
{
	const struct wire *envelope = wire_get_object(mailpipe, "Envelope");
	struct verdicts verdicts = {.spf = VERDICT_ABSENT};
	g_autofree char *authserv_id = NULL;

	for (guint i = 0; *authserv_ids != NULL && i < root->fields->len; i++) {
		const struct field *field = &g_array_index(root->fields, struct field, i);

		if (span_is(field->name, FIELD))
			take(&verdicts, field, authserv_ids, from_domain, &authserv_id, defects);
	}
	wire_set(mailpipe, "Verdicts",
		 print(&verdicts, authserv_id, wire_get_text(envelope, "SaslUsername")));
}
