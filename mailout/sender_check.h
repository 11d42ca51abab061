/*
 * What libesmtp sends without looking at it: envelope addresses and messages.
 *
 * It writes addresses into commands as they are, cuts commands at 1023 bytes, sends a bare LF raw
 * and unstuffed, drops the second of some fields and adds Date, From and Message-Id where they are
 * missing.  What passes here it can only send unchanged.
 */
#ifndef MAILOUT_SENDER_CHECK_H
#define MAILOUT_SENDER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum {
	SENDER_ADDRESS_MAX = 320, /* 64 + @ + 255 (RFC 5321, 4.5.3.1) */
	SENDER_LINE_MAX = 998     /* without CRLF (RFC 5322, 2.1.1) */
};

/* Is it one mailbox (RFC 5321, 4.1.2) that stays within its angle brackets?  ASCII, no control
 * characters. */
bool sender_address_ok(const char *address);

/* NULL, or what is wrong with the message: a text that lives for ever. */
const char *sender_message_fault(const char *message, size_t size);

#endif
