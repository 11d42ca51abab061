#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "mailctl/check.h"
#include "mailin/ingest/target.h"
#include "mailin/ingest/target_file.h"

/* The server's numbers for rights that are missing, and for a table that is. */
enum { ER_TABLEACCESS_DENIED = 1142, ER_COLUMNACCESS_DENIED = 1143, ER_NO_SUCH_TABLE_CODE = 1146 };

struct look {
	struct db *db;
	const struct config *config;
	const char *subject; /* names the first route that has the target, too */
	struct report *report;
	size_t refused;
};

static bool take_text(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(char **)context = g_strdup(columns[0].data);
	return false;
}

/* `user`@`host`; g_free() it. */
static char *account(struct db *db)
{
	g_autofree char *current = NULL;

	db_query_once(db, "SELECT CURRENT_USER()", NULL, 0, take_text, &current, NULL);
	char *at = current != NULL ? strrchr(current, '@') : NULL;

	if (at == NULL)
		return g_strdup("the user of mailin-ingest");
	*at = '\0';
	g_autofree char *user = db_quote_name(current);
	g_autofree char *host = db_quote_name(at + 1);

	return g_strdup_printf("%s@%s", user, host);
}

/* Behind "for table " (MySQL: 'name', MariaDB: `database`.`name`) or "in table "; g_free() it. */
static char *table_of(const struct look *look, const char *text)
{
	static const char mark[] = " table ";
	const char *table = strstr(text, mark);

	if (table == NULL)
		return NULL;
	table += strlen(mark);
	size_t size = strcspn(table, "; ");

	if (memchr(table, '.', size) != NULL)
		return g_strndup(table, size);
	g_autofree char *name = g_strndup(table, size);
	g_autofree char *database = db_quote_name(look->config->mysql_database);

	g_strdelimit(name, "'`", ' ');
	g_autofree char *quoted = db_quote_name(g_strstrip(name));

	return g_strdup_printf("%s.%s", database, quoted);
}

/* "database error 1142: INSERT command denied to user ... for table ..." as what would mend it;
 * g_free() it. */
static char *grant_for(const struct look *look, const char *text)
{
	static const char before[] = "database error ";
	const char *right = strstr(text, before);
	const char *denied = strstr(text, " command denied to user");
	g_autofree char *table = table_of(look, text);

	if (right != NULL)
		right = strstr(right, ": ");
	if (right == NULL || denied == NULL || denied < right || table == NULL)
		return NULL;
	right += strlen(": ");
	g_autofree char *who = account(look->db);

	/* The server looks at rights before it looks for the table. */
	return g_strdup_printf("create the table unless it is there, then: GRANT %.*s ON %s TO %s",
			       (int)(denied - right), right, table, who);
}

static void refused(const char *place, unsigned int code, const struct reason *reason,
		    void *context)
{
	struct look *look = context;
	g_autofree char *advice = NULL;

	look->refused++;
	if (code == ER_TABLEACCESS_DENIED || code == ER_COLUMNACCESS_DENIED)
		advice = grant_for(look, reason->text);
	else if (code == ER_NO_SUCH_TABLE_CODE)
		advice = g_strdup("create it");
	report_add(look->report, REPORT_ERROR, look->subject, advice, "%s: %s", place,
		   reason->text);
}

static size_t rows_count(const struct target_file *file)
{
	size_t count = 0;

	for (size_t i = 0; i < file->statement_count; i++)
		count += file->statements[i].rows.head != NULL;
	return count;
}

static void check_file(struct look *look, const char *path)
{
	struct reason reason = {0};
	struct target_file *file = target_file_read(path, &reason);

	if (file == NULL) {
		report_add(look->report, REPORT_ERROR, look->subject,
			   access(path, F_OK) == 0 ? "mend the file"
						   : "make the file, or mend the route's target",
			   "%s", reason.text);
		return;
	}
	targets_check(file, look->db, refused, look);
	if (look->refused == 0)
		report_add(look->report, REPORT_OK, look->subject, NULL,
			   "%s: statements that the server takes: %zu, for many mails at once: %zu",
			   path, file->statement_count, rows_count(file));
	target_file_free(&file);
}

static void check_target(struct db *db, const struct config *config,
			 const struct config_route *route, struct report *report)
{
	const char *name = route->target;
	/* A path stands in what is said of it. */
	g_autofree char *subject =
		g_strdup_printf("route %s target%s%s", route->name, *name == '/' ? "" : " ",
				*name == '/' ? "" : name);
	g_autofree char *path = target_file_find(name, config->ingest_targets);
	struct look look = {db, config, subject, report, 0};

	if (path != NULL)
		check_file(&look, path);
	else if (targets_is_optional(name))
		report_add(report, REPORT_OK, subject, NULL, "nothing besides the message");
	else
		report_add(report, REPORT_ERROR, subject, "see mailpipe-targets(7)",
			   "%s.sql is in no folder of ingest.targets", name);
}

void check_targets(struct db *db, const struct config *config, struct report *report)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < config->route_count; i++)
		if (g_hash_table_add(seen, config->routes[i].target))
			check_target(db, config, &config->routes[i], report);
}
