/*
 * By what a thread is found again: the keys that mailin-ingest and mailout must make alike
 * (mailctl/migrations: thread_ids, thread_senders, thread_participants).
 */
#ifndef COMMON_THREAD_KEY_H
#define COMMON_THREAD_KEY_H

#include "common/sha256.h"

/* thread_ids.id_hash.  The Message-ID is without angle brackets. */
void thread_key_id(unsigned char key[SHA256_SIZE], const char *route, const char *message_id);

/* thread_senders.sender.  The address is one of thread_key_email(). */
void thread_key_sender(unsigned char key[SHA256_SIZE], const char *route, const char *email);

/* Characters of an address that can take part: the width of the column. */
enum { THREAD_KEY_EMAIL_MAX = 320 };

/* An address as participants are compared, by domain_address(), so that the same mailbox is the
 * same text.  NULL if it is empty, too long or nobody's address.  g_free() it. */
char *thread_key_email(const char *email);

#endif
