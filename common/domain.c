#include "common/domain.h"

#include <glib.h>
#include <idn2.h>
#include <libpsl.h>
#include <string.h>

/* A domain of 253 bytes of A-labels (RFC 1035, 3.1) is not as long in UTF-8. */
enum { UNICODE_DOMAIN_MAX = 1000 };

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static char *lower_ascii(const char *domain)
{
	char *lower = g_ascii_strdown(domain, -1);
	size_t size = strlen(lower);

	if (size > 0 && lower[size - 1] == '.')
		lower[size - 1] = '\0';
	return lower;
}

char *domain_ascii(const char *domain, const char **error)
{
	char *labels = NULL;
	int result = IDN2_TOO_BIG_DOMAIN;

	if (is_ascii(domain))
		return lower_ascii(domain);
	if (strlen(domain) <= UNICODE_DOMAIN_MAX)
		result = idn2_to_ascii_8z(domain, &labels, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (result != IDN2_OK) {
		if (error != NULL)
			*error = idn2_strerror(result);
		return NULL;
	}
	char *lower = lower_ascii(labels);

	idn2_free(labels);
	return lower;
}

char *domain_address(const char *email)
{
	const char *at = strrchr(email, '@');

	if (!g_utf8_validate(email, -1, NULL))
		return NULL;
	g_autofree char *lower = g_utf8_strdown(email, at != NULL ? at - email : -1);
	g_autofree char *local = g_utf8_normalize(lower, -1, G_NORMALIZE_NFC);
	g_autofree char *domain = at != NULL ? domain_ascii(at + 1, NULL) : NULL;

	if (local == NULL || at == NULL)
		return g_steal_pointer(&local);
	return domain != NULL ? g_strconcat(local, "@", domain, NULL) : NULL;
}

bool domain_aligned(const char *a, const char *b)
{
	if (*a == '\0' || *b == '\0')
		return false;
	if (strcmp(a, b) == 0)
		return true;
	const psl_ctx_t *list = psl_builtin();

	/* Without a list nothing is known of organisations. */
	if (list == NULL)
		return false;
	const char *ours = psl_registrable_domain(list, a);
	const char *theirs = psl_registrable_domain(list, b);

	return ours != NULL && theirs != NULL && strcmp(ours, theirs) == 0;
}
