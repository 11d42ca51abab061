#include "mailctl/addresses.h"

#include <string.h>

#define STATUS "4.3.5" /* RFC 3463: system incorrectly configured */

enum { PATTERN_MAX = 700 }; /* characters: addresses.pattern */

void address_free(struct address *address)
{
	g_free(address->pattern);
	g_free(address);
}

static void free_item(void *item)
{
	address_free(item);
}

/* What makes a pattern unique. */
static char *address_key(const char *match_type, const char *pattern)
{
	return g_strconcat(match_type, " ", pattern, NULL);
}

/* ---- what the config needs ---- */

static const char *match_type(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_EXACT:
		return "exact";
	case ROUTE_WILDCARD:
		return "wildcard";
	case ROUTE_REGEX:
		break;
	}
	return "regex";
}

/* Takes pattern. */
static void add(GPtrArray *wanted, GHashTable *seen, const char *type, char *pattern,
		const struct config_route *route)
{
	struct address *address;

	if (!g_hash_table_add(seen, address_key(type, pattern)) || config_route_closed(route)) {
		g_free(pattern);
		return;
	}
	address = g_new(struct address, 1);
	*address = (struct address){type, pattern, route->name};
	g_ptr_array_add(wanted, address);
}

/* The pattern with another form of its domain, or NULL if there is none. */
static char *with_domain(const char *pattern, char *(*form)(const char *))
{
	const char *at = strrchr(pattern, '@');

	if (at == NULL || strchr(at, '*') != NULL || at[1] == '[')
		return NULL;
	g_autofree char *domain = form(at + 1);

	if (domain == NULL)
		return NULL;
	return g_strdup_printf("%.*s%s", (int)(at + 1 - pattern), pattern, domain);
}

/* Takes pattern, which may be NULL.  Postfix asks with the letters' case folded as Unicode says,
 * which makes ss of a sharp s. */
static void add_forms(GPtrArray *wanted, GHashTable *seen, const char *type, char *pattern,
		      const struct config_route *route)
{
	if (pattern == NULL)
		return;
	g_autofree char *folded = g_utf8_casefold(pattern, -1);
	char *composed = g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);

	add(wanted, seen, type, pattern, route);
	if (composed != NULL)
		add(wanted, seen, type, composed, route);
}

static void add_pattern(GPtrArray *wanted, GHashTable *seen, const char *pattern,
			const struct config_route *route)
{
	enum route_kind kind = route_pattern_kind(pattern);
	const char *type = match_type(kind);

	if (kind == ROUTE_REGEX) {
		add(wanted, seen, type, g_strdup(pattern), route);
		return;
	}
	g_autofree char *lower = g_utf8_strdown(pattern, -1);

	add_forms(wanted, seen, type, g_strdup(lower), route);
	add_forms(wanted, seen, type, with_domain(lower, g_hostname_to_ascii), route);
	add_forms(wanted, seen, type, with_domain(lower, g_hostname_to_unicode), route);
}

GPtrArray *addresses_wanted(const struct config *config)
{
	GPtrArray *wanted = g_ptr_array_new_with_free_func(free_item);
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (size_t i = 0; i < config->route_count; i++)
		for (char **pattern = config->routes[i].recipients; *pattern != NULL; pattern++)
			add_pattern(wanted, seen, *pattern, &config->routes[i]);
	g_hash_table_unref(seen);
	return wanted;
}

/* ---- what is there ---- */

struct row {
	int64_t id;
	char *route;
};

static void row_free(void *data)
{
	struct row *row = data;

	g_free(row->route);
	g_free(row);
}

static bool take_row(const struct db_value *columns, size_t count, void *context)
{
	struct row *row = g_new(struct row, 1);

	(void)count;
	*row = (struct row){columns[0].number, g_strdup(columns[3].data)};
	g_hash_table_insert(context, address_key(columns[1].data, columns[2].data), row);
	return true;
}

static bool take_route(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	g_hash_table_insert(context, address_key(columns[0].data, columns[1].data),
			    g_strdup(columns[2].data));
	return true;
}

enum outcome addresses_compare(struct db *db, GPtrArray *wanted, size_t *missing,
			       const struct address **first, struct reason *reason)
{
	GHashTable *rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	enum outcome outcome =
		db_query_once(db, "SELECT match_type, pattern, route FROM recipients", NULL, 0,
			      take_route, rows, reason);

	*missing = 0;
	*first = NULL;
	for (size_t i = 0; outcome == OUTCOME_OK && i < wanted->len; i++) {
		const struct address *address = wanted->pdata[i];
		g_autofree char *key = address_key(address->match_type, address->pattern);

		if (g_hash_table_contains(rows, key))
			continue;
		(*missing)++;
		if (*first == NULL)
			*first = address;
	}
	g_hash_table_unref(rows);
	return outcome;
}

/* ---- bringing both together ---- */

static bool take_text(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(char **)context = g_strdup(columns[0].data);
	return false;
}

/* Can the server work with it?  An expression is tried; other patterns get the server's own idea of
 * lower case, which is what they will be compared with. */
static enum outcome try_pattern(struct db *db, struct address *address, struct reason *reason)
{
	bool is_regex = strcmp(address->match_type, "regex") == 0;
	struct db_value value = db_text(address->pattern);
	char *lower = NULL;
	enum outcome outcome;

	if (g_utf8_strlen(address->pattern, -1) > PATTERN_MAX) {
		outcome_retry(reason, STATUS, "is longer than %d characters", PATTERN_MAX);
		return OUTCOME_RETRY;
	}
	if (is_regex) {
		value.data = address->pattern + 1; /* without the slashes */
		value.size -= strlen("//");
		return db_query_once(db, "SELECT 'a@example.com' REGEXP CONCAT('(?i)', ?)", &value,
				     1, take_text, &lower, reason);
	}
	outcome = db_query_once(db, "SELECT LOWER(?)", &value, 1, take_text, &lower, reason);
	if (outcome == OUTCOME_OK) {
		g_free(address->pattern);
		address->pattern = lower;
	}
	return outcome;
}

static enum outcome try_patterns(struct db *db, GPtrArray *wanted, struct reason *reason)
{
	for (size_t i = 0; i < wanted->len; i++) {
		struct address *address = wanted->pdata[i];

		if (try_pattern(db, address, reason) == OUTCOME_OK)
			continue;
		g_autofree char *where =
			g_strdup_printf("[route %s] %s", address->route, address->pattern);

		reason_prefix(reason, where);
		return OUTCOME_RETRY;
	}
	return OUTCOME_OK;
}

static enum outcome run(struct db *db, const char *sql, const struct db_value *values, size_t count,
			struct reason *reason)
{
	return db_query_once(db, sql, values, count, NULL, NULL, reason);
}

/* One wanted address; what remains in rows in the end is to go. */
static enum outcome put(struct db *db, const struct address *address, GHashTable *rows,
			struct addresses_changes *changes, struct reason *reason)
{
	g_autofree char *key = address_key(address->match_type, address->pattern);
	const struct row *row = g_hash_table_lookup(rows, key);
	enum outcome outcome = OUTCOME_OK;

	if (row == NULL) {
		struct db_value values[] = {db_text(address->match_type), db_text(address->pattern),
					    db_text(address->route)};

		changes->added++;
		return run(db,
			   "INSERT INTO addresses (source, match_type, pattern, route) "
			   "VALUES ('config', ?, ?, ?) ON DUPLICATE KEY UPDATE id = id",
			   values, G_N_ELEMENTS(values), reason);
	}
	if (strcmp(row->route, address->route) == 0) {
		changes->kept++;
	} else {
		struct db_value values[] = {db_text(address->route), db_int(row->id)};

		changes->changed++;
		outcome = run(db, "UPDATE addresses SET route = ? WHERE id = ?", values,
			      G_N_ELEMENTS(values), reason);
	}
	g_hash_table_remove(rows, key);
	return outcome;
}

static enum outcome remove_rest(struct db *db, GHashTable *rows, struct addresses_changes *changes,
				struct reason *reason)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, rows);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct db_value id = db_int(((struct row *)value)->id);
		enum outcome outcome =
			run(db, "DELETE FROM addresses WHERE id = ?", &id, 1, reason);

		if (outcome != OUTCOME_OK)
			return outcome;
		changes->removed++;
	}
	return OUTCOME_OK;
}

static enum outcome sync_rows(struct db *db, GPtrArray *wanted, GHashTable *rows,
			      struct addresses_changes *changes, struct reason *reason)
{
	enum outcome outcome = try_patterns(db, wanted, reason);

	if (outcome == OUTCOME_OK)
		outcome = db_begin(db, reason);
	if (outcome == OUTCOME_OK)
		outcome = db_query_once(db,
					"SELECT id, match_type, pattern, route FROM addresses "
					"WHERE source = 'config' FOR UPDATE",
					NULL, 0, take_row, rows, reason);
	for (size_t i = 0; outcome == OUTCOME_OK && i < wanted->len; i++)
		outcome = put(db, wanted->pdata[i], rows, changes, reason);
	if (outcome == OUTCOME_OK)
		outcome = remove_rest(db, rows, changes, reason);
	if (outcome == OUTCOME_OK)
		return db_commit(db, NULL, reason);
	db_rollback(db);
	return outcome;
}

enum outcome addresses_sync(struct db *db, const struct config *config,
			    struct addresses_changes *changes, struct reason *reason)
{
	GPtrArray *wanted = addresses_wanted(config);
	GHashTable *rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, row_free);
	enum outcome outcome;

	*changes = (struct addresses_changes){0};
	outcome = sync_rows(db, wanted, rows, changes, reason);
	g_hash_table_unref(rows);
	g_ptr_array_unref(wanted);
	return outcome;
}
