#include "common/thread_key.h"

#include <glib.h>
#include <string.h>

#include "common/domain.h"

/* A NUL between them: neither text can have one. */
static void key_of(unsigned char key[SHA256_SIZE], const char *route, const char *text)
{
	g_autoptr(GString) both = g_string_new(route);

	g_string_append_c(both, '\0');
	g_string_append(both, text);
	sha256_of(both->str, both->len, key);
}

void thread_key_id(unsigned char key[SHA256_SIZE], const char *route, const char *message_id)
{
	key_of(key, route, message_id);
}

void thread_key_sender(unsigned char key[SHA256_SIZE], const char *route, const char *email)
{
	key_of(key, route, email);
}

char *thread_key_email(const char *email)
{
	g_autofree char *normal = domain_address(email);

	if (normal == NULL || *normal == '\0' || g_utf8_strlen(normal, -1) > THREAD_KEY_EMAIL_MAX)
		return NULL;
	return g_steal_pointer(&normal);
}
