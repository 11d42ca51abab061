#include "common/db_error.h"

#include <stddef.h>

#define SETUP_HINT "run mailctl setup"
#define PACKET_HINT "raise max_allowed_packet"

enum { CLIENT_ERROR_FIRST = 2000, CLIENT_ERROR_LAST = 2999 };

enum { KEPT = false, LOST = true };
enum { MAYBE = false, NOT = true };

/*
 * The numbers are those of the servers' manuals; MariaDB's and MySQL's headers do not both have all
 * the names.  REJECT needs certainty that the data is at fault and that no repetition can help.
 */
static const struct db_error errors[] = {
	/* The data can never be stored. */
	{1048, OUTCOME_REJECT, KEPT, NOT, NULL}, /* BAD_NULL_ERROR */
	{1264, OUTCOME_REJECT, KEPT, NOT, NULL}, /* WARN_DATA_OUT_OF_RANGE */
	{1265, OUTCOME_REJECT, KEPT, NOT, NULL}, /* WARN_DATA_TRUNCATED, such as a wrong ENUM */
	{1292, OUTCOME_REJECT, KEPT, NOT, NULL}, /* TRUNCATED_WRONG_VALUE, such as a wrong date */
	{1300, OUTCOME_REJECT, KEPT, NOT, NULL}, /* INVALID_CHARACTER_STRING */
	{1365, OUTCOME_REJECT, KEPT, NOT, NULL}, /* DIVISION_BY_ZERO */
	{1366, OUTCOME_REJECT, KEPT, NOT, NULL}, /* TRUNCATED_WRONG_VALUE_FOR_FIELD */
	{1367, OUTCOME_REJECT, KEPT, NOT, NULL}, /* ILLEGAL_VALUE_FOR_TYPE */
	{1406, OUTCOME_REJECT, KEPT, NOT, NULL}, /* DATA_TOO_LONG */
	{1411, OUTCOME_REJECT, KEPT, NOT, NULL}, /* WRONG_VALUE_FOR_TYPE */
	{1441, OUTCOME_REJECT, KEPT, NOT, NULL}, /* DATETIME_FUNCTION_OVERFLOW */
	{1690, OUTCOME_REJECT, KEPT, NOT, NULL}, /* DATA_OUT_OF_RANGE */
	{3140, OUTCOME_REJECT, KEPT, NOT, NULL}, /* MySQL: INVALID_JSON_TEXT */
	{3141, OUTCOME_REJECT, KEPT, NOT, NULL}, /* MySQL: INVALID_JSON_TEXT_IN_PARAM */
	{3157, OUTCOME_REJECT, KEPT, NOT, NULL}, /* MySQL: JSON_DOCUMENT_TOO_DEEP */
	{3819, OUTCOME_REJECT, KEPT, NOT, NULL}, /* MySQL: CHECK_CONSTRAINT_VIOLATED */
	{3854, OUTCOME_REJECT, KEPT, NOT, NULL}, /* MySQL: CANNOT_CONVERT_STRING */
	{4025, OUTCOME_REJECT, KEPT, NOT, NULL}, /* MariaDB: CONSTRAINT_FAILED */

	/* Other transactions were in the way. */
	{1020, OUTCOME_RETRY, KEPT, NOT, NULL}, /* CHECKREAD */
	{1062, OUTCOME_RETRY, KEPT, NOT,
	 NULL}, /* DUP_ENTRY: somebody was faster; a replay sees it */
	{1205, OUTCOME_RETRY, KEPT, NOT, NULL}, /* LOCK_WAIT_TIMEOUT: the rest is not rolled back */
	{1213, OUTCOME_RETRY, KEPT, NOT, NULL}, /* LOCK_DEADLOCK; Galera: at COMMIT, too */
	{1452, OUTCOME_RETRY, KEPT, NOT, NULL}, /* NO_REFERENCED_ROW_2: it was removed meanwhile */
	{1614, OUTCOME_RETRY, KEPT, NOT, NULL}, /* XA_RBDEADLOCK */
	{3101, OUTCOME_RETRY, KEPT, NOT, NULL}, /* MySQL: TRANSACTION_ROLLBACK_DURING_COMMIT */

	/* The server cannot at the moment. */
	{1021, OUTCOME_RETRY, KEPT, MAYBE, "the server's disk is full"}, /* DISK_FULL */
	{1030, OUTCOME_RETRY, KEPT, MAYBE, NULL},                    /* GET_ERRNO: storage engine */
	{1040, OUTCOME_RETRY, LOST, MAYBE, "raise max_connections"}, /* CON_COUNT_ERROR */
	{1114, OUTCOME_RETRY, KEPT, MAYBE, "the server's disk is full"}, /* RECORD_FILE_FULL */
	{1180, OUTCOME_RETRY, KEPT, MAYBE, NULL},                        /* ERROR_DURING_COMMIT */
	{1203, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* TOO_MANY_USER_CONNECTIONS */
	{1226, OUTCOME_RETRY, KEPT, MAYBE, NULL}, /* USER_LIMIT_REACHED */
	{1317, OUTCOME_RETRY, KEPT, MAYBE, NULL}, /* QUERY_INTERRUPTED */
	{1969, OUTCOME_RETRY, KEPT, MAYBE, NULL}, /* MariaDB: STATEMENT_TIMEOUT */
	{3024, OUTCOME_RETRY, KEPT, MAYBE, NULL}, /* MySQL: QUERY_TIMEOUT */

	/* It is the wrong one of several servers: look for another one. */
	{1047, OUTCOME_RETRY, LOST, NOT, NULL}, /* UNKNOWN_COM_ERROR: Galera node not ready */
	{1290, OUTCOME_RETRY, LOST, NOT, NULL}, /* OPTION_PREVENTS_STATEMENT: --read-only */
	{1792, OUTCOME_RETRY, LOST, NOT, NULL}, /* CANT_EXECUTE_IN_READ_ONLY_TRANSACTION */
	{1836, OUTCOME_RETRY, LOST, NOT, NULL}, /* READ_ONLY_MODE */

	/* The connection is gone. */
	{1053, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* SERVER_SHUTDOWN */
	{1152, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* ABORTING_CONNECTION */
	{1158, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* NET_READ_ERROR */
	{1159, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* NET_READ_INTERRUPTED */
	{1160, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* NET_ERROR_ON_WRITE */
	{1161, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* NET_WRITE_INTERRUPTED */
	{1184, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* NEW_ABORTING_CONNECTION */
	{1927, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* MariaDB: CONNECTION_KILLED */
	{3169, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* MySQL: SESSION_WAS_KILLED */
	{5013, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* Connector/C: CR_ERR_NET_READ */
	{5014, OUTCOME_RETRY, LOST, MAYBE, NULL}, /* Connector/C: CR_ERR_NET_WRITE */

	/* A packet over the limit looks like a lost connection, too: 2006. */
	{1105, OUTCOME_RETRY, KEPT, MAYBE,
	 NULL}, /* UNKNOWN_ERROR: also a too large long parameter */
	{1153, OUTCOME_RETRY, LOST, MAYBE, PACKET_HINT}, /* NET_PACKET_TOO_LARGE */
	{1301, OUTCOME_RETRY, KEPT, MAYBE, PACKET_HINT}, /* WARN_ALLOWED_PACKET_OVERFLOWED */
	{2020, OUTCOME_RETRY, LOST, MAYBE, PACKET_HINT}, /* CR_NET_PACKET_TOO_LARGE */

	/* The installation is at fault, not the mail. */
	{1044, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT}, /* DBACCESS_DENIED_ERROR */
	{1045, OUTCOME_RETRY, KEPT, NOT,
	 "is the password file right? " SETUP_HINT},                    /* ACCESS_DENIED */
	{1049, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT},                   /* BAD_DB_ERROR */
	{1054, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT},                   /* BAD_FIELD_ERROR */
	{1118, OUTCOME_RETRY, KEPT, NOT, "raise innodb_log_file_size"}, /* TOO_BIG_ROWSIZE */
	{1142, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT}, /* TABLEACCESS_DENIED_ERROR */
	{1143, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT}, /* COLUMNACCESS_DENIED_ERROR */
	{1146, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT}, /* NO_SUCH_TABLE */
	{1364, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT}, /* NO_DEFAULT_FOR_FIELD */
	{1698, OUTCOME_RETRY, KEPT, NOT, SETUP_HINT}, /* ACCESS_DENIED_NO_PASSWORD_ERROR */
};

struct db_error db_error_of(unsigned int code)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code)
			return errors[i];
	return (struct db_error){
		.code = code,
		.outcome = OUTCOME_RETRY,
		/* 2006, 2013, a broken packet, commands out of sync: none of it mends itself. */
		.lost = code >= CLIENT_ERROR_FIRST && code <= CLIENT_ERROR_LAST,
	};
}
