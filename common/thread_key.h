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

/*
 * An address as participants are compared: lower case and NFC, so that the same mailbox is the same
 * text.  Nothing is folded that could be another mailbox (a German sharp s stays one).  NULL if it
 * is empty, too long or no UTF-8: that is nobody's address.  g_free() it.
 */
char *thread_key_email(const char *email);

#endif
