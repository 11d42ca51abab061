#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <iconv.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>

#include "mailin/parse/charset.h"
#include "mailin/parse/charset_table.h"

struct sample {
	const char *label;
	const char *bytes;
	size_t size;
	const char *text;
	bool wrong;
};

#define GOOD(label, bytes, text)                                                                   \
	{                                                                                          \
		label, bytes, sizeof(bytes) - 1, text, false                                       \
	}
#define BAD(label, bytes, text)                                                                    \
	{                                                                                          \
		label, bytes, sizeof(bytes) - 1, text, true                                        \
	}

static const struct sample samples[] = {
	GOOD(NULL, "plain", "plain"),
	GOOD("", "plain", "plain"),
	GOOD("us-ascii", "", ""),
	GOOD("UTF-8", "gr\xC3\xBC\xC3\x9F", "grüß"),
	GOOD("\"utf-8\"", "\xC3\xBC", "ü"),
	GOOD("utf-8*en", "\xC3\xBC", "ü"),
	GOOD("uft-8", "\xC3\xBC", "ü"),
	GOOD("utf-8", "\xEF\xBB\xBFx", "x"),
	GOOD("koi8-r", "\xEF\xBB\xBF\xC3\xBC", "ü"),
	GOOD("iso-8859-1", "gr\xFC\xDF \x80", "grüß €"),
	GOOD("ISO_8859-1:1987", "\xE9", "é"),
	GOOD("latin1", "\x93x\x94", "“x”"),
	GOOD("iso-8859-15", "\xA4", "€"),
	GOOD("windows-1251", "\xCF\xF0\xE8\xE2\xE5\xF2", "Привет"),
	GOOD("koi8-r", "\xF0\xD2\xC9\xD7\xC5\xD4", "Привет"),
	GOOD("ibm866", "\x8F\xE0\xA8\xA2\xA5\xE2", "Привет"),
	GOOD("x-mac-cyrillic", "\x8F\xF0\xE8\xE2\xE5\xF2", "Привет"),
	GOOD("macintosh", "gr\x9F\xA7", "grüß"),
	GOOD("windows-874", "\x80 \xA1", "€ ก"),
	GOOD("tis-620", "\xA1", "ก"),
	GOOD("windows-1258", "Vi\xEA\xF2t", "Vi\u1EC7t"),
	GOOD("gb2312", "\xC4\xE3\xBA\xC3", "你好"),
	GOOD("gb2312", "\xE9\x46", "镕"),
	GOOD("hz-gb-2312", "a~~ ~{<:Ky2;~}.~\n b", "a~ 己所不. b"),
	GOOD("big5", "\xA7\x41\xA6\x6E", "你好"),
	GOOD("big5-hkscs", "\xFA\xB1", "\u5226"),
	GOOD("euc-jp", "\xC6\xFC\xCB\xDC \xAD\xA1", "日本 ①"),
	GOOD("shift_jis", "\x93\xFA\x96\x7B \x87\x40 \xB1", "日本 ① ｱ"),
	GOOD("iso-2022-jp", "\x1B$BF|K\\\x1B(B!", "日本!"),
	GOOD("iso-2022-jp", "\x1B$B-!\x1B(B", "①"),
	GOOD("iso-2022-jp", "\x1B(I1\x1B(B", "ｱ"),
	GOOD("iso-2022-jp-ms",
	     "\x0E"
	     "1\x0F"
	     "1\xB1",
	     "ｱ1ｱ"),
	GOOD("iso-2022-jp-1", "\x1B$(D0!\x1B(B", "丂"),
	GOOD("iso-2022-jp-2", "\x1B$A<:\x1B(B \x1B$BF|\x1B(B", "己 日"),
	GOOD("iso-2022-jp", "\x1B$BF|\nplain", "日\nplain"),
	GOOD("ks_c_5601-1987", "\xB0\xA1\xB5\xD8 \xB5\xDF", "가뒈 \uB4B9"),
	GOOD("iso-2022-kr",
	     "\x1B$)C\x0E"
	     "0!\x0F",
	     "가"),
	GOOD("utf-7", "Hi +Jjo-!", "Hi ☺!"),
	GOOD("utf-16", "\xFF\xFEx\0\x3C\xD8\x89\xDF", "x🎉"),
	GOOD("utf-16", "\0x\0y", "xy"),
	GOOD("utf-16le", "x\0y\0", "xy"),
	GOOD("utf-32", "\0\0\0x", "x"),
	GOOD("utf-32", "\xFF\xFE\0\0x\0\0\0", "x"),
	/* labels that lie */
	BAD("us-ascii", "gr\xC3\xBC\xC3\x9F", "grüß"),
	BAD("us-ascii", "gr\xFC\xDF", "grüß"),
	BAD(NULL, "gr\xFC\xDF", "grüß"),
	BAD("utf-8", "gr\xFC\xDF", "grüß"),
	BAD("x-unknown", "gr\xC3\xBC\xC3\x9F", "grüß"),
	BAD("../../etc/passwd", "plain", "plain"),
	BAD("utf-16", "plain text", "plain text"),
	BAD("iso-2022-jp", "\xE6\x97\xA5\xE6\x9C\xAC", "日本"),
	BAD("koi8-r", "a\0b", "a\uFFFDb"),
	/* labels that are right, in spite of some dirt */
	BAD("utf-8", "\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97\xA5\xE6", "日本日\uFFFD"),
	BAD("utf-8", "\xC3\xBC\xC3\xBC\xFFx\xC3\xBC", "üü\uFFFDxü"),
	BAD("utf-8", "nul \0 here", "nul \uFFFD here"),
	BAD("euc-jp", "\xC6\xFC\xCB\xDC\xC6\xFC\xCB", "日本日\uFFFD"),
	BAD("iso-2022-jp", "\x1B$BF|K\\F|K", "日本日\uFFFD"),
	BAD("windows-1252", "\x81x", "\uFFFDx"),
	BAD("utf-16le", "x\0y\0z\0!", "xyz\uFFFD"),
	BAD("utf-16be", "\0\xE9\0\xE9\0\xE9\xD8\0\0x", "ééé\uFFFDx"),
};

static void check(const struct sample *sample)
{
	size_t size = 0;
	bool wrong = !sample->wrong;
	g_autofree char *text =
		charset_to_utf8(sample->label, sample->bytes, sample->size, &size, &wrong);

	if (strcmp(text, sample->text) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", sample->label, text, sample->text);
	if (wrong != sample->wrong)
		fail_msg("%s: \"%s\" wrong is %d", sample->label, text, wrong);
	assert_int_equal(size, strlen(text));
}

static void aliases_are_sorted(void **state)
{
	(void)state;
	assert_true(charset_table_is_sorted());
}

static void every_charset_is_known_to_iconv(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
		const struct charset *charset =
			samples[i].label != NULL
				? charset_find(samples[i].label, strlen(samples[i].label))
				: NULL;
		if (charset == NULL || charset->iconv == NULL)
			continue;
		iconv_t cd = iconv_open("UTF-8", charset->iconv);
		if (cd == (iconv_t)-1)
			fail_msg("iconv does not know %s", charset->iconv);
		iconv_close(cd);
	}
}

static void bytes_become_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(samples); i++)
		check(&samples[i]);
	charset_deinit();
}

/* As in the sandbox, every open() fails. */
static void forbid_files(struct rlimit *before)
{
	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	struct rlimit none = {0, before->rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void allow_files(const struct rlimit *before)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

static const char labelled_mail[] = "Subject: =?koi8-r?Q?x?=\r\n"
				    "Content-Type: text/plain; CHARSET =\r\n \"Windows-1251\"\r\n"
				    "Content-Type: text/plain; charset*0*=us-ascii'en'euc-jp\r\n"
				    "Content-Disposition: attachment; filename*=ISO-8859-2''x\r\n"
				    "Content-Disposition: attachment; filename*0*=big5''x\r\n"
				    "<meta charset=3D\"gb18030\">\r\n"
				    "Content-Type: text/plain; charset=iso-2022-jp";

static void preloaded_charsets_need_no_file(void **state)
{
	static const struct sample there[] = {
		GOOD("koi8-r", "\xF0", "П"),       GOOD("windows-1251", "\xCF", "П"),
		GOOD("euc-jp", "\xC6\xFC", "日"),  GOOD("iso-8859-2", "\xB1", "ą"),
		GOOD("big5", "\xA7\x41", "你"),    GOOD("iso-2022-jp", "\x1B$BF|\x1B(B", "日"),
		GOOD("windows-1252", "\x80", "€"), GOOD("gb18030", "\xC4\xE3", "你"),
		BAD("euc-kr", "\xB0\xA1", "°¡"),
	};
	struct rlimit before;

	(void)state;
	charset_preload(labelled_mail, sizeof(labelled_mail) - 1);
	forbid_files(&before);
	for (size_t i = 0; i < G_N_ELEMENTS(there); i++)
		check(&there[i]);
	allow_files(&before);
	charset_deinit();
}

static void tnef_preloads_code_pages(void **state)
{
	static const char mail[] = "Content-Disposition: attachment; filename=\"WinMail.dat\"";
	static const struct sample there = GOOD("cp1251", "\xCF", "П");
	struct rlimit before;

	(void)state;
	charset_preload(mail, sizeof(mail) - 1);
	forbid_files(&before);
	check(&there);
	allow_files(&before);
	charset_deinit();
}

static void truncated_labels_are_harmless(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(labelled_mail); size++) {
		/* The exact size, so that address sanitizer sees a step too far. */
		g_autofree char *copy = g_memdup2(labelled_mail, size);

		charset_preload(copy, size);
		charset_deinit();
	}
}

enum { BIG = 2 * 1024 * 1024 };

/* Characters lie across every place where a step may end. */
static void long_texts_stay_whole(void **state)
{
	static const struct sample repeated[] = {
		GOOD("gb18030", "\xC4\xE3x\x81\x30\x81\x30", "你x\xC2\x80"),
		GOOD("shift_jis", "\x93\xFAx", "日x"),
		GOOD("iso-2022-jp", "\x1B$BF|K\\\x1B(B", "日本"),
		GOOD("windows-1258", "Vi\xEA\xF2t", "Vi\u1EC7t"),
		GOOD("utf-7", "+Jjo-x", "☺x"),
		GOOD("utf-16le", "\x3C\xD8\x89\xDF", "🎉"),
	};
	enum { TIMES = 3000 };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(repeated); i++) {
		g_autoptr(GString) bytes = g_string_new(NULL);
		g_autoptr(GString) expected = g_string_new(NULL);
		size_t size;
		bool wrong;

		for (int n = 0; n < TIMES; n++) {
			g_string_append_len(bytes, repeated[i].bytes, (gssize)repeated[i].size);
			g_string_append(expected, repeated[i].text);
		}
		g_autofree char *text =
			charset_to_utf8(repeated[i].label, bytes->str, bytes->len, &size, &wrong);
		if (wrong || strcmp(text, expected->str) != 0)
			fail_msg("%s is not the same", repeated[i].label);
	}
	charset_deinit();
}

/* Processor time: the machine may be busy with other tests. */
static void check_speed(const char *label, const char *pattern)
{
	g_autoptr(GString) bytes = g_string_sized_new(BIG);
	size_t size;
	bool wrong;

	while (bytes->len < BIG)
		g_string_append(bytes, pattern);
	clock_t start = clock();
	g_autofree char *text = charset_to_utf8(label, bytes->str, bytes->len, &size, &wrong);
	if (clock() - start > 2 * CLOCKS_PER_SEC)
		fail_msg("%s: slow on %s", label, pattern);
	assert_true(g_utf8_validate_len(text, size, NULL));
	assert_true(size <= 3 * bytes->len);
}

static void bad_bytes_take_linear_time(void **state)
{
	(void)state;
	check_speed("utf-8", "\xFF");
	check_speed("utf-8", "\xE6");
	check_speed("euc-jp", "\xFF");
	check_speed("euc-jp", "xxxxxxxxx\xFF");
	check_speed("iso-2022-jp", "\x1B");
	check_speed("iso-2022-jp", "\x1B$BF|K\xFF");
	check_speed("utf-7", "+");
	check_speed("utf-7", "\xFF");
	check_speed("hz-gb-2312", "~{");
	check_speed("gb18030", "\x81\x30\x81");
	check_speed("windows-1258", "\xEA\xF2");
	check_speed("utf-16", "\xD8");
	charset_deinit();
}

static void check_scan(const char *pattern)
{
	g_autoptr(GString) mail = g_string_sized_new(BIG);

	while (mail->len < BIG)
		g_string_append(mail, pattern);
	clock_t start = clock();
	charset_preload(mail->str, mail->len);
	if (clock() - start > CLOCKS_PER_SEC / 2)
		fail_msg("slow on %s", pattern);
	charset_deinit();
}

static void scanning_is_fast(void **state)
{
	(void)state;
	check_scan("VGhpcyBpcyBiYXNlNjQ");
	check_scan("=");
	check_scan("t=");
	check_scan("*= ");
	check_scan("=?x?");
	check_scan("=?koi8-r?=?koi8-u?");
	check_scan("=D0=9F=D1=80=D0=B8");
	check_scan("charset* = ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aliases_are_sorted),
		cmocka_unit_test(every_charset_is_known_to_iconv),
		cmocka_unit_test(bytes_become_utf8),
		cmocka_unit_test(preloaded_charsets_need_no_file),
		cmocka_unit_test(tnef_preloads_code_pages),
		cmocka_unit_test(truncated_labels_are_harmless),
		cmocka_unit_test(long_texts_stay_whole),
		cmocka_unit_test(bad_bytes_take_linear_time),
		cmocka_unit_test(scanning_is_fast),
	};
	return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
