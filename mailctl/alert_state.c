#include <glib.h>
#include <string.h>

#include "mailctl/alert.h"
#include "mailctl/alert_private.h"

static const char *const kind_names[ALERT_KINDS] = {
	[ALERT_DATABASE] = "database",
	[ALERT_BROKER] = "broker",
	[ALERT_BROKER_BLOCKED] = "broker-blocked",
	[ALERT_SMTP] = "smtp",
	[ALERT_CONSUMERS] = "consumers",
	[ALERT_DEAD_LETTERS] = "dead-letters",
	[ALERT_QUEUE_DEPTH] = "queue-depth",
	[ALERT_QUEUE_AGE] = "queue-age",
	[ALERT_RESTARTS] = "restarts",
	[ALERT_TEMPLATES] = "templates",
	[ALERT_TEST] = "test",
};

static const char *const way_names[ALERT_WAYS] = {
	[ALERT_MAIL] = "mail",
	[ALERT_SMS] = "sms",
	[ALERT_COMMAND] = "command",
	[ALERT_URL] = "url",
};

const char *alert_kind_name(enum alert_kind kind)
{
	return kind_names[kind];
}

const char *alert_way_name(enum alert_way way)
{
	return way_names[way];
}

/* ---- to JSON ---- */

static struct wire *save_told(const struct alert_told *told)
{
	struct wire *object = wire_object();

	wire_set_bool(object, "Open", told->open);
	wire_set_bool(object, "Owes", told->owes);
	wire_set_int(object, "At", told->at_ms);
	wire_set_int(object, "Digests", told->digests);
	wire_set_int(object, "Number", told->number);
	return object;
}

static struct wire *save_incident(const struct alert_incident *incident)
{
	struct wire *object = wire_object();

	wire_set_bool(object, "Open", incident->open);
	wire_set_int(object, "Since", incident->since_ms);
	wire_set_int(object, "Well", incident->well_ms);
	wire_set_int(object, "Over", incident->over_ms);
	wire_set_int(object, "Again", incident->again);
	wire_set_int(object, "Number", incident->number);
	wire_set_text(object, "Text", incident->text);
	for (int way = 0; way < ALERT_WAYS; way++)
		wire_set(object, way_names[way], save_told(&incident->told[way]));
	return object;
}

static struct wire *save_path(const struct alert_path *path)
{
	struct wire *object = wire_object();

	wire_set_int(object, "Failures", path->failures);
	wire_set_int(object, "Retry", path->retry_ms);
	return object;
}

struct wire *alerts_save(const struct alerts *alerts)
{
	struct wire *root = wire_object();
	struct wire *incidents = wire_object();
	struct wire *paths = wire_object();

	for (int kind = 0; kind < ALERT_KINDS; kind++)
		wire_set(incidents, kind_names[kind], save_incident(&alerts->incidents[kind]));
	for (int way = 0; way < ALERT_WAYS; way++)
		wire_set(paths, way_names[way], save_path(&alerts->paths[way]));
	wire_set(root, "Incidents", incidents);
	wire_set(root, "Ways", paths);
	return root;
}

/* ---- from JSON ---- */

/* Not below 0: no time and no count is. */
static int64_t number_of(const struct wire *object, const char *key)
{
	int64_t number = 0;

	return wire_get_int(object, key, &number) ? MAX(number, 0) : 0;
}

static bool truth_of(const struct wire *object, const char *key)
{
	bool truth = false;

	return wire_get_bool(object, key, &truth) && truth;
}

static void restore_told(struct alert_told *told, const struct wire *object)
{
	told->open = truth_of(object, "Open");
	told->owes = truth_of(object, "Owes");
	told->at_ms = number_of(object, "At");
	told->digests = number_of(object, "Digests");
	told->number = number_of(object, "Number");
}

static void restore_incident(struct alert_incident *incident, const struct wire *object)
{
	incident->open = truth_of(object, "Open");
	incident->since_ms = number_of(object, "Since");
	incident->well_ms = number_of(object, "Well");
	incident->over_ms = number_of(object, "Over");
	incident->again = number_of(object, "Again");
	incident->number = number_of(object, "Number");
	g_free(incident->text);
	incident->text = g_strdup(wire_get_text(object, "Text"));
	for (int way = 0; way < ALERT_WAYS; way++) {
		const struct wire *told = wire_get_object(object, way_names[way]);

		if (told != NULL)
			restore_told(&incident->told[way], told);
	}
}

void alerts_restore(struct alerts *alerts, const struct wire *saved)
{
	const struct wire *incidents = wire_get_object(saved, "Incidents");
	const struct wire *paths = wire_get_object(saved, "Ways");

	for (int kind = 0; incidents != NULL && kind < ALERT_KINDS; kind++) {
		const struct wire *object = wire_get_object(incidents, kind_names[kind]);

		if (object != NULL)
			restore_incident(&alerts->incidents[kind], object);
	}
	for (int way = 0; paths != NULL && way < ALERT_WAYS; way++) {
		const struct wire *object = wire_get_object(paths, way_names[way]);

		if (object == NULL)
			continue;
		alerts->paths[way].failures = number_of(object, "Failures");
		alerts->paths[way].retry_ms = number_of(object, "Retry");
	}
}
