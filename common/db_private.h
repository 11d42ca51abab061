/*
 * What common/db.c and common/db_stmt.c share.
 */
#ifndef COMMON_DB_PRIVATE_H
#define COMMON_DB_PRIVATE_H

#include <mysql.h>

#include "common/db.h"

/* MySQL 8's headers have no my_bool; it is one byte in both. */
#ifdef MARIADB_BASE_VERSION
typedef my_bool db_bool;
#else
typedef bool db_bool;
#endif

struct db {
	MYSQL *mysql;
	int64_t max_packet;
	unsigned int error;
	bool lost;
};

/* Classify, remember what db_errno() and db_lost() tell, and fill the reason. */
enum outcome db_failed(struct db *db, unsigned int code, const char *text, struct reason *reason);

#endif
