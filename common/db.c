#include "common/db.h"

#include <glib.h>
#include <string.h>

#include "common/db_error.h"
#include "common/db_private.h"
#include "common/hostport.h"

#define STATUS_RETRY "4.3.0"  /* RFC 3463: other or undefined mail system status */
#define STATUS_REJECT "5.6.0" /* RFC 3463: other or undefined media error */
#define CA_FILE_SYSTEM "/etc/ssl/certs/ca-certificates.crt"

enum { MYSQL_PORT_DEFAULT = 3306, MS_PER_S = 1000 };

/* The library's own limit; the server's max_allowed_packet is the one that counts. */
static const unsigned long CLIENT_PACKET_MAX = 1UL << 30;

static unsigned int open_errno;

/* ---- failures ---- */

enum outcome db_failed(struct db *db, unsigned int code, const char *text, struct reason *reason)
{
	struct db_error error = db_error_of(code);
	const char *hint = error.hint != NULL ? error.hint : "";
	const char *separator = error.hint != NULL ? "; " : "";

	db->error = code;
	db->lost = db->lost || error.lost;
	if (error.outcome == OUTCOME_REJECT)
		return outcome_reject(reason, STATUS_REJECT, "database error %u: %s", code, text);
	return outcome_retry(reason, STATUS_RETRY, "database error %u: %s%s%s", code, text,
			     separator, hint);
}

static enum outcome connection_failed(struct db *db, struct reason *reason)
{
	return db_failed(db, mysql_errno(db->mysql), mysql_error(db->mysql), reason);
}

unsigned int db_open_errno(void)
{
	return open_errno;
}

void db_thread_begin(void)
{
	mysql_thread_init();
}

void db_thread_end(void)
{
	mysql_thread_end();
}

bool db_lost(const struct db *db)
{
	return db->lost;
}

unsigned int db_errno(const struct db *db)
{
	return db->error;
}

const char *db_server_version(const struct db *db)
{
	return mysql_get_server_info(db->mysql);
}

bool db_is_mariadb(const struct db *db)
{
	return strstr(db_server_version(db), "MariaDB") != NULL;
}

bool db_is_encrypted(const struct db *db)
{
	return mysql_get_ssl_cipher(db->mysql) != NULL;
}

int64_t db_max_packet(const struct db *db)
{
	return db->max_packet;
}

/* ---- connecting ---- */

static unsigned int seconds(int64_t ms)
{
	return ms <= MS_PER_S ? 1 : (unsigned int)((ms + MS_PER_S - 1) / MS_PER_S);
}

static void set_tls(MYSQL *mysql, const struct db_options *options)
{
	bool named = options->tls_ca_file != NULL && options->tls_ca_file[0] != '\0';

	mysql_options(mysql, MYSQL_OPT_SSL_CA, named ? options->tls_ca_file : CA_FILE_SYSTEM);
#ifdef MARIADB_BASE_VERSION
	db_bool yes = 1;

	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
#else
	unsigned int mode = SSL_MODE_VERIFY_IDENTITY;

	mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
#endif
}

static void set_options(MYSQL *mysql, const struct db_options *options, bool local,
			struct deadline deadline)
{
	int64_t left = deadline_left_ms(deadline);
	unsigned int connect_s = seconds(MIN(left, options->timeout_ms));
	unsigned int io_s = seconds(options->timeout_ms);
	unsigned int protocol = local ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
	unsigned int no_files = 0;

	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &io_s);
	mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
	mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files);
	mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &CLIENT_PACKET_MAX);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (options->tls && !local)
		set_tls(mysql, options);
}

struct server_facts {
	int64_t read_only;
	int64_t max_packet;
};

static bool take_facts(const struct db_value *columns, size_t count, void *context)
{
	struct server_facts *facts = context;

	(void)count;
	facts->read_only = columns[0].number;
	facts->max_packet = columns[1].number;
	return false;
}

/* What every session is, whatever the server's defaults are. */
static enum outcome start_session(struct db *db, const struct db_options *options,
				  struct reason *reason)
{
	/* Half of the read time-out, so that a lock wait shows as 1205 and not as a lost server. */
	unsigned int lock_wait = MAX(seconds(options->timeout_ms) / 2, 1);
	g_autofree char *set = g_strdup_printf(
		"SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci, SESSION time_zone = '+00:00', "
		"SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,"
		"NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO', SESSION autocommit = 1, "
		"SESSION innodb_lock_wait_timeout = %u",
		lock_wait);
	struct server_facts facts = {0};
	enum outcome outcome = db_exec(db, set, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = db_exec(db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = db_query_once(db, "SELECT @@global.read_only, @@max_allowed_packet", NULL, 0,
				take_facts, &facts, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	db->max_packet = facts.max_packet;
	if (facts.read_only != 0 && !options->read_only_too)
		return outcome_retry(reason, STATUS_RETRY, "the server is read-only");
	return OUTCOME_OK;
}

/* One server: `host`, or the local one with the socket of that path. */
static struct db *open_one(const struct db_options *options, const struct hostport *host,
			   const char *socket, struct deadline deadline, struct reason *reason)
{
	bool local = host == NULL;
	struct db *db = g_new0(struct db, 1);

	db->mysql = mysql_init(NULL);
	if (db->mysql == NULL)
		g_error("out of memory");
	set_options(db->mysql, options, local, deadline);
	if (mysql_real_connect(db->mysql, local ? NULL : host->host, options->user,
			       options->password, options->database,
			       local ? 0 : (unsigned int)host->port, socket, 0) == NULL) {
		connection_failed(db, reason);
	} else if (options->tls && !local && !db_is_encrypted(db)) {
		outcome_retry(reason, STATUS_RETRY, "the server does not offer TLS");
	} else if (start_session(db, options, reason) == OUTCOME_OK) {
		return db;
	}
	open_errno = db->error;
	db_close(&db);
	return NULL;
}

static struct db *open_host(const struct db_options *options, const char *text,
			    struct deadline deadline, struct reason *reason)
{
	struct hostport host;
	struct db *db;

	if (!hostport_parse(&host, text, MYSQL_PORT_DEFAULT)) {
		outcome_retry(reason, STATUS_RETRY, "is no host:port");
		return NULL;
	}
	db = open_one(options, &host, NULL, deadline, reason);
	hostport_clear(&host);
	return db;
}

struct db *db_open(const struct db_options *options, struct deadline deadline,
		   struct reason *reason)
{
	struct reason failure = {0};

	open_errno = 0;
	if (options->socket != NULL && options->socket[0] != '\0') {
		struct db *db = open_one(options, NULL, options->socket, deadline, reason);

		if (db == NULL)
			reason_prefix(reason, options->socket);
		return db;
	}
	g_autoptr(GString) failures = g_string_new(NULL);

	for (char **host = options->hosts; host != NULL && *host != NULL; host++) {
		if (host != options->hosts && deadline_passed(deadline)) {
			g_string_append(failures, "; no time left for the other hosts");
			break;
		}
		struct db *db = open_host(options, *host, deadline, &failure);

		if (db != NULL)
			return db;
		g_string_append_printf(failures, "%s%s: %s", failures->len > 0 ? "; " : "", *host,
				       failure.text);
	}
	outcome_retry(reason, STATUS_RETRY, "%s",
		      failures->len > 0 ? failures->str : "no database host is configured");
	return NULL;
}

void db_close(struct db **db)
{
	if (*db == NULL)
		return;
	mysql_close((*db)->mysql);
	g_free(*db);
	*db = NULL;
}

/* ---- statements without values, transactions ---- */

enum outcome db_exec(struct db *db, const char *sql, struct reason *reason)
{
	if (mysql_real_query(db->mysql, sql, strlen(sql)) != 0)
		return connection_failed(db, reason);
	MYSQL_RES *result = mysql_use_result(db->mysql);

	if (result != NULL)
		mysql_free_result(result); /* reads what is left */
	if (mysql_errno(db->mysql) != 0)
		return connection_failed(db, reason);
	return OUTCOME_OK;
}

char *db_quote(struct db *db, const char *text)
{
	size_t size = strlen(text);
	char *quoted = g_malloc(2 * size + sizeof("''")); /* as mysql_real_escape_string(3) asks */
	char *end = quoted;

	*end++ = '\'';
	end += mysql_real_escape_string(db->mysql, end, text, size);
	*end++ = '\'';
	*end = '\0';
	return quoted;
}

char *db_quote_name(const char *name)
{
	GString *quoted = g_string_new("`");

	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '`')
			g_string_append_c(quoted, '`');
		g_string_append_c(quoted, *p);
	}
	return g_string_free(g_string_append_c(quoted, '`'), FALSE);
}

enum outcome db_begin(struct db *db, struct reason *reason)
{
	return db_exec(db, "START TRANSACTION", reason);
}

void db_rollback(struct db *db)
{
	/* If it fails, the connection is lost, and the server rolls back by itself. */
	if (!db->lost)
		db_exec(db, "ROLLBACK", NULL);
}

enum outcome db_commit(struct db *db, bool *unknown, struct reason *reason)
{
	if (unknown != NULL)
		*unknown = false;
	/* The server tells it with each answer, so this costs nothing. */
	if ((db->mysql->server_status & SERVER_STATUS_IN_TRANS) == 0) {
		db->error = 0;
		return outcome_retry(reason, STATUS_RETRY,
				     "the transaction was ended before its COMMIT");
	}
	enum outcome outcome = db_exec(db, "COMMIT", reason);

	if (unknown != NULL)
		*unknown = outcome != OUTCOME_OK && !db_error_of(db->error).not_committed;
	return outcome;
}
