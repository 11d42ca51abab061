/* token: drawn, read in spite of what mail programs do to it, hashed, masked, blotted out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include <cmocka.h>

#include "common/token.h"

#define TOKEN "abcdefghijklmnopqrstuvw234"

static void assert_token(const char *extension, const char *expected)
{
	char token[TOKEN_TEXT_SIZE] = "";

	if (!token_parse(token, extension, strlen(extension)))
		fail_msg("no token: %s", extension);
	assert_string_equal(token, expected);
}

static void assert_none(const char *extension, size_t size)
{
	char token[TOKEN_TEXT_SIZE];

	if (token_parse(token, extension, size))
		fail_msg("a token: %s", extension);
}

static void drawn_tokens_are_read_and_differ(void **state)
{
	enum { DRAWN = 1000 };
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	(void)state;
	for (int i = 0; i < DRAWN; i++) {
		char token[TOKEN_TEXT_SIZE];

		assert_true(token_new(token));
		assert_int_equal(strlen(token), TOKEN_LENGTH);
		assert_token(token, token);
		assert_true(g_hash_table_add(seen, g_strdup(token)));
	}
}

static void case_encoding_and_punctuation_are_forgiven(void **state)
{
	(void)state;
	assert_token(TOKEN, TOKEN);
	assert_token("ABCDEFGHIJKLMNOPQRSTUVW234", TOKEN);
	assert_token("AbCdEfGhIjKlMnOpQrStUvW234", TOKEN);
	assert_token("%2B" TOKEN, TOKEN);
	assert_token(TOKEN "%3D", TOKEN);
	assert_token("<" TOKEN ">.", TOKEN);
	assert_token("%22" TOKEN "%22", TOKEN);
	assert_token(TOKEN ",;:!?)", TOKEN);
	assert_token("%41bcdefghijklmnopqrstuvw234", TOKEN);
}

static void all_else_is_no_token(void **state)
{
	static const char nul[] = "abcdefghijklmnopqrstuvw23\0";
	static const char *const others[] = {
		"",
		"+",
		"abcdefghijklmnopqrstuvw23", /* cut */
		"bcdefghijklmnopqrstuvw234", /* cut at the other end */
		TOKEN "a",                   /* one more */
		"a" TOKEN,
		"abcdefghijklm.opqrstuvw234", /* punctuation within */
		"abcdefghijklm opqrstuvw234",
		"abcdefghijklmnopqrstuvw230", /* no 0, 1, 8, 9 */
		"1bcdefghijklmnopqrstuvw234",
		"abcdefghijklmnopqrstuvw235", /* bits that are not used */
		TOKEN " ",                    /* a blank is no punctuation */
		"' OR 1=1 -- " TOKEN,
		"%" TOKEN "%s",
		"\\" TOKEN "\\n",
		TOKEN "%00",
		TOKEN "\xc3\xa4",
		"\xc3\xa4"
		"bcdefghijklmnopqrstuvw2", /* 26 bytes */
		TOKEN TOKEN TOKEN,
		"%2525" TOKEN, /* decoded once */
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		assert_none(others[i], strlen(others[i]));
	assert_none(nul, TOKEN_LENGTH);
	assert_none(TOKEN, TOKEN_LENGTH - 1);
}

/* Of an address as long as any. */
static void all_punctuation_is_forgiven(void **state)
{
	enum { MANY = 2000 };
	g_autofree char *dots = g_strnfill(MANY, '.');
	g_autofree char *around = g_strconcat(dots, "%2E", TOKEN, dots, NULL);
	g_autofree char *behind = g_strconcat(dots, TOKEN, dots, "a", NULL);

	(void)state;
	assert_token(around, TOKEN);
	assert_none(behind, strlen(behind));
}

static void hash_is_sha256_of_the_lower_case_text(void **state)
{
	unsigned char hash[TOKEN_HASH_SIZE];
	unsigned char other[TOKEN_HASH_SIZE];
	char text[SHA256_TEXT_SIZE];

	(void)state;
	token_hash(TOKEN, hash);
	assert_string_equal(sha256_text(hash, text),
			    "6d88901772d2be3d10487cb637bf0a4dba5acdf36e0e59f9e906379e3d2fa584");
	memcpy(other, hash, sizeof(hash));
	assert_true(token_hash_equal(hash, other));
	for (size_t i = 0; i < TOKEN_HASH_SIZE; i++) {
		other[i] ^= 1;
		assert_false(token_hash_equal(hash, other));
		other[i] ^= 1;
	}
}

static void assert_mask(const char *address, bool all, const char *expected)
{
	g_autofree char *masked = token_mask("+", address, all);

	assert_string_equal(masked, expected);
}

static void addresses_are_masked(void **state)
{
	(void)state;
	assert_mask("photos+" TOKEN "@example.com", false, "photos+...@example.com");
	assert_mask("photos%2B" TOKEN "%3D@example.com", false, "photos%2B...@example.com");
	assert_mask("photos+" TOKEN "aa@example.com", false, "photos+...@example.com");
	assert_mask("photos+abcdefghijklmnop@example.com", false, "photos+...@example.com");
	assert_mask("photos+abcdefghijklmno@example.com", false,
		    "photos+abcdefghijklmno@example.com");
	assert_mask("photos+a.bc@example.com", true, "photos+...@example.com");
	assert_mask("photos+a.bc@example.com", false, "photos+a.bc@example.com");
	assert_mask("photos@example.com", true, "photos@example.com");
	assert_mask("photos+" TOKEN, false, "photos+...");
	assert_mask(TOKEN "@example.com", true, TOKEN "@example.com");
	assert_mask("photos+%61bcdefghi%6a%6bl%6dn%6fp@example.com", false,
		    "photos+...@example.com");
	assert_mask("", true, "");
}

static void tokens_are_blotted_out(void **state)
{
	char text[] = TOKEN "-ABCDEFGHIJKLMNOPQRSTUVW234abcdefghijklmnopqrstuvw23";

	(void)state;
	assert_int_equal(token_blot(text, strlen(text), TOKEN), 2);
	assert_string_equal(text, "**************************-**************************"
				  "abcdefghijklmnopqrstuvw23");
	assert_int_equal(token_blot(text, 0, TOKEN), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drawn_tokens_are_read_and_differ),
		cmocka_unit_test(case_encoding_and_punctuation_are_forgiven),
		cmocka_unit_test(all_else_is_no_token),
		cmocka_unit_test(all_punctuation_is_forgiven),
		cmocka_unit_test(hash_is_sha256_of_the_lower_case_text),
		cmocka_unit_test(addresses_are_masked),
		cmocka_unit_test(tokens_are_blotted_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
