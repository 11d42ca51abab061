/*
 * The envelope of one mail for one recipient, as Postfix's pipe(8) tells it on the command line.
 */
#ifndef MAILIN_ENVELOPE_H
#define MAILIN_ENVELOPE_H

#include <stdint.h>

struct envelope {
	const char *queue_id; /* these are never NULL, but may be empty; borrowed from argv */
	const char *sender;   /* "": the null sender */
	const char *recipient;
	const char *client_address;
	const char *client_name;
	const char *helo;
	const char *sasl_username;
	int64_t size; /* Postfix's ${size}; -1: not told */
};

#endif
