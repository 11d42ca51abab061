#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "mailctl/check.h"

static const char subject[] = "mysql server";

/* ---- versions ---- */

struct version {
	int major;
	int minor;
	int patch;
};

static const struct version mariadb_oldest = {10, 6, 0};
/* The first with CHECK constraints. */
static const struct version mysql_oldest = {8, 0, 16};

enum { DECIMAL = 10 };

static struct version parse_version(const char *text)
{
	struct version version = {0};
	int *parts[] = {&version.major, &version.minor, &version.patch};
	char *end;

	/* MariaDB up to 10.x may put this before its version for old replication clients. */
	if (g_str_has_prefix(text, "5.5.5-"))
		text += strlen("5.5.5-");
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		*parts[i] = (int)g_ascii_strtoll(text, &end, DECIMAL);
		if (*end != '.')
			break;
		text = end + 1;
	}
	return version;
}

static bool is_older(struct version a, struct version b)
{
	if (a.major != b.major)
		return a.major < b.major;
	if (a.minor != b.minor)
		return a.minor < b.minor;
	return a.patch < b.patch;
}

static void check_version(struct db *db, struct report *report)
{
	const char *text = db_server_version(db);
	struct version oldest = db_is_mariadb(db) ? mariadb_oldest : mysql_oldest;
	const char *product = db_is_mariadb(db) ? "MariaDB" : "MySQL";

	if (is_older(parse_version(text), oldest))
		report_add(report, REPORT_ERROR, subject, "update it",
			   "%s is older than %s %d.%d.%d, the oldest that mailpipe supports", text,
			   product, oldest.major, oldest.minor, oldest.patch);
	else
		report_add(report, REPORT_OK, subject, NULL, "%s", text);
}

/* ---- settings ---- */

static bool take_number(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return false;
}

static bool take_text(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(char **)context = g_strdup(columns[0].data);
	return false;
}

static void check_packet(struct db *db, const struct config *config, struct report *report)
{
	int64_t needed = check_largest_value(config);
	g_autofree char *has = check_size_text(db_max_packet(db));
	g_autofree char *needs = check_size_text(needed);

	if (db_max_packet(db) > needed) {
		report_add(report, REPORT_OK, subject, NULL,
			   "max_allowed_packet %s is enough for limits.message_size", has);
		return;
	}
	g_autofree char *advice = g_strdup_printf("set max_allowed_packet above %s in the server's "
						  "config, or lower limits.message_size",
						  needs);

	report_add(report, REPORT_ERROR, subject, advice,
		   "max_allowed_packet is %s, but an attachment or body may have %s: such a mail "
		   "would go to mail.dead",
		   has, needs);
}

static void check_tables(struct db *db, const struct config *config, struct report *report)
{
	struct db_value database = db_text(config->mysql_database);
	struct reason reason = {0};
	g_autofree char *tables = NULL;

	if (db_query_once(
		    db,
		    "SELECT GROUP_CONCAT(table_name ORDER BY table_name SEPARATOR ', ') "
		    "FROM information_schema.tables WHERE table_schema = ? AND table_type = "
		    "'BASE TABLE' AND (table_collation NOT LIKE 'utf8mb4%' OR engine <> 'InnoDB')",
		    &database, 1, take_text, &tables, &reason) != OUTCOME_OK)
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
	else if (tables != NULL)
		report_add(report, REPORT_ERROR, subject,
			   "ALTER TABLE ... ENGINE=InnoDB, CONVERT TO CHARACTER SET utf8mb4",
			   "not utf8mb4 or not InnoDB: %s", tables);
	else
		report_add(report, REPORT_OK, subject, NULL, "tables are InnoDB and utf8mb4");
}

static void check_flush(int64_t flush, struct report *report)
{
	if (flush == 1)
		report_add(report, REPORT_OK, subject, NULL, "commits are durable");
	else
		report_add(report, REPORT_WARNING, subject,
			   "set innodb_flush_log_at_trx_commit = 1",
			   "innodb_flush_log_at_trx_commit is %" G_GINT64_FORMAT
			   ": a crash can lose mails that were acknowledged",
			   flush);
}

void check_mysql_server(struct db *db, const struct config *config, struct report *report)
{
	int64_t flush = 0;
	struct reason reason = {0};

	check_version(db, report);
	check_packet(db, config, report);
	check_tables(db, config, report);
	if (db_query_once(db, "SELECT @@innodb_flush_log_at_trx_commit", NULL, 0, take_number,
			  &flush, &reason) != OUTCOME_OK)
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
	else
		check_flush(flush, report);
}
