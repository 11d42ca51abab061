#include "mailout/prepare.h"

#include "mailout/build.h"

/* Of templates within each other; no sensible template comes near. */
enum { TEMPLATE_DEPTH = 50, TEMPLATE_PARTIALS = 10000 };

struct template_set *prepare_templates(const struct config *config,
				       void (*complain)(const char *text, void *context),
				       void *context)
{
	const struct template_limits limits = {
		.file_bytes = (size_t)config->limits.template_file,
		.output_bytes = (size_t)config->limits.template_output,
		.depth = TEMPLATE_DEPTH,
		.partials = TEMPLATE_PARTIALS,
	};

	return template_set_new(config->mailout_templates, &limits, complain, context);
}

static enum outcome render(struct template_set *templates, const struct request *request,
			   struct rendered *rendered, struct reason *reason)
{
	struct wire *none = NULL;
	const struct wire *model = request->template_model;

	if (model == NULL)
		model = none = wire_object();
	enum outcome outcome = template_set_render(templates, request->template_alias,
						   request->locale, model, rendered, reason);

	wire_free(&none);
	return outcome;
}

/* What the thread's record tells of it.  `made` is the text part that HTML alone got. */
static void keep_texts(const struct request *request, const struct rendered *rendered,
		       const char *made, struct prepared *prepared)
{
	const char *text = rendered != NULL ? rendered->text : request->text_body;
	const char *html = rendered != NULL ? rendered->html : request->html_body;

	prepared->automatic = build_is_automatic(request, rendered);
	prepared->text = g_strdup(text != NULL ? text : made);
	prepared->html = html != NULL && *html != '\0' ? g_strdup(html) : NULL;
}

static enum outcome build(const struct config *config, struct request *request,
			  const struct rendered *rendered, int64_t now_s, struct prepared *prepared,
			  struct reason *reason)
{
	const char *from =
		rendered != NULL && rendered->from != NULL ? rendered->from : config->mailout_from;
	g_autofree char *made = NULL;
	const struct build_input input = {.request = request,
					  .rendered = rendered,
					  .config = config,
					  .date = now_s,
					  .text_made = &made};
	enum outcome outcome = OUTCOME_OK;

	prepared->subject = g_strdup(rendered != NULL ? rendered->subject : request->subject);
	if (request->from.email == NULL || request->from.email[0] == '\0')
		outcome = request_set_from(request, from, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	prepared->message_id = build_message_id(request, request->from.email);
	prepared->message = build_message(&input, &outcome, reason);
	if (prepared->message == NULL)
		return outcome;
	if (request->has_thread)
		keep_texts(request, rendered, made, prepared);
	return OUTCOME_OK;
}

enum outcome prepare(const struct config *config, struct template_set *templates,
		     struct request *request, int64_t now_s, struct prepared *prepared,
		     struct reason *reason)
{
	struct rendered rendered = {0};

	*prepared = (struct prepared){0};
	if (request->template_alias == NULL)
		return build(config, request, NULL, now_s, prepared, reason);
	enum outcome outcome = render(templates, request, &rendered, reason);

	if (outcome == OUTCOME_OK)
		outcome = build(config, request, &rendered, now_s, prepared, reason);
	rendered_clear(&rendered);
	return outcome;
}

void prepared_clear(struct prepared *prepared)
{
	g_clear_pointer(&prepared->message, g_bytes_unref);
	g_clear_pointer(&prepared->subject, g_free);
	g_clear_pointer(&prepared->message_id, g_free);
	g_clear_pointer(&prepared->text, g_free);
	g_clear_pointer(&prepared->html, g_free);
}
