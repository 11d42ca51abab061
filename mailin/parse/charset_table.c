#include "mailin/parse/charset_table.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

/* Longer labels are none. */
enum { LABEL_MAX = 64 };

enum index {
	US_ASCII,
	UTF_8,
	UTF_16,
	UTF_16LE,
	UTF_16BE,
	UTF_32,
	UTF_32LE,
	UTF_32BE,
	UTF_7,
	WINDOWS_1252,
	ISO_8859_2,
	ISO_8859_3,
	ISO_8859_4,
	ISO_8859_5,
	ISO_8859_6,
	ISO_8859_7,
	ISO_8859_8,
	ISO_8859_10,
	ISO_8859_13,
	ISO_8859_14,
	ISO_8859_15,
	ISO_8859_16,
	WINDOWS_1250,
	WINDOWS_1251,
	WINDOWS_1253,
	WINDOWS_1254,
	WINDOWS_1255,
	WINDOWS_1256,
	WINDOWS_1257,
	WINDOWS_1258,
	WINDOWS_874,
	KOI8_R,
	KOI8_U,
	MACINTOSH,
	MAC_CYRILLIC,
	MAC_CE,
	IBM437,
	IBM737,
	IBM775,
	IBM850,
	IBM852,
	IBM855,
	IBM857,
	IBM858,
	IBM860,
	IBM861,
	IBM862,
	IBM863,
	IBM864,
	IBM865,
	IBM866,
	IBM869,
	VISCII,
	TCVN,
	ARMSCII_8,
	GEORGIAN_PS,
	GB18030,
	HZ,
	ISO_2022_CN,
	BIG5,
	EUC_TW,
	SHIFT_JIS,
	EUC_JP,
	ISO_2022_JP,
	ISO_2022_JP_2,
	EUC_KR,
	JOHAB,
	ISO_2022_KR,
};

_Static_assert(ISO_2022_KR + 1 == CHARSET_COUNT, "count the charsets");

static const struct charset charsets[CHARSET_COUNT] = {
	[US_ASCII] = {NULL, CHARSET_ASCII},
	[UTF_8] = {NULL, CHARSET_UTF8},
	[UTF_16] = {NULL, CHARSET_UTF16},
	[UTF_16LE] = {NULL, CHARSET_UTF16LE},
	[UTF_16BE] = {NULL, CHARSET_UTF16BE},
	[UTF_32] = {NULL, CHARSET_UTF32},
	[UTF_32LE] = {NULL, CHARSET_UTF32LE},
	[UTF_32BE] = {NULL, CHARSET_UTF32BE},
	[UTF_7] = {"UTF-7", CHARSET_SEVEN_BIT},
	[WINDOWS_1252] = {NULL, CHARSET_WESTERN},
	[ISO_8859_2] = {"ISO-8859-2", CHARSET_EIGHT_BIT},
	[ISO_8859_3] = {"ISO-8859-3", CHARSET_EIGHT_BIT},
	[ISO_8859_4] = {"ISO-8859-4", CHARSET_EIGHT_BIT},
	[ISO_8859_5] = {"ISO-8859-5", CHARSET_EIGHT_BIT},
	[ISO_8859_6] = {"ISO-8859-6", CHARSET_EIGHT_BIT},
	[ISO_8859_7] = {"ISO-8859-7", CHARSET_EIGHT_BIT},
	[ISO_8859_8] = {"ISO-8859-8", CHARSET_EIGHT_BIT},
	[ISO_8859_10] = {"ISO-8859-10", CHARSET_EIGHT_BIT},
	[ISO_8859_13] = {"ISO-8859-13", CHARSET_EIGHT_BIT},
	[ISO_8859_14] = {"ISO-8859-14", CHARSET_EIGHT_BIT},
	[ISO_8859_15] = {"ISO-8859-15", CHARSET_EIGHT_BIT},
	[ISO_8859_16] = {"ISO-8859-16", CHARSET_EIGHT_BIT},
	[WINDOWS_1250] = {"CP1250", CHARSET_EIGHT_BIT},
	[WINDOWS_1251] = {"CP1251", CHARSET_EIGHT_BIT},
	[WINDOWS_1253] = {"CP1253", CHARSET_EIGHT_BIT},
	[WINDOWS_1254] = {"CP1254", CHARSET_EIGHT_BIT},
	[WINDOWS_1255] = {"CP1255", CHARSET_EIGHT_BIT},
	[WINDOWS_1256] = {"CP1256", CHARSET_EIGHT_BIT},
	[WINDOWS_1257] = {"CP1257", CHARSET_EIGHT_BIT},
	[WINDOWS_1258] = {"CP1258", CHARSET_EIGHT_BIT},
	[WINDOWS_874] = {"CP874", CHARSET_EIGHT_BIT},
	[KOI8_R] = {"KOI8-R", CHARSET_EIGHT_BIT},
	[KOI8_U] = {"KOI8-U", CHARSET_EIGHT_BIT},
	[MACINTOSH] = {"MACINTOSH", CHARSET_EIGHT_BIT},
	[MAC_CYRILLIC] = {"MAC-CYRILLIC", CHARSET_EIGHT_BIT},
	[MAC_CE] = {"MAC-CENTRALEUROPE", CHARSET_EIGHT_BIT},
	[IBM437] = {"IBM437", CHARSET_EIGHT_BIT},
	[IBM737] = {"CP737", CHARSET_EIGHT_BIT},
	[IBM775] = {"CP775", CHARSET_EIGHT_BIT},
	[IBM850] = {"IBM850", CHARSET_EIGHT_BIT},
	[IBM852] = {"IBM852", CHARSET_EIGHT_BIT},
	[IBM855] = {"IBM855", CHARSET_EIGHT_BIT},
	[IBM857] = {"IBM857", CHARSET_EIGHT_BIT},
	[IBM858] = {"IBM858", CHARSET_EIGHT_BIT},
	[IBM860] = {"IBM860", CHARSET_EIGHT_BIT},
	[IBM861] = {"IBM861", CHARSET_EIGHT_BIT},
	[IBM862] = {"IBM862", CHARSET_EIGHT_BIT},
	[IBM863] = {"IBM863", CHARSET_EIGHT_BIT},
	[IBM864] = {"IBM864", CHARSET_EIGHT_BIT},
	[IBM865] = {"IBM865", CHARSET_EIGHT_BIT},
	[IBM866] = {"IBM866", CHARSET_EIGHT_BIT},
	[IBM869] = {"IBM869", CHARSET_EIGHT_BIT},
	[VISCII] = {"VISCII", CHARSET_EIGHT_BIT},
	[TCVN] = {"TCVN", CHARSET_EIGHT_BIT},
	[ARMSCII_8] = {"ARMSCII-8", CHARSET_EIGHT_BIT},
	[GEORGIAN_PS] = {"GEORGIAN-PS", CHARSET_EIGHT_BIT},
	[GB18030] = {"GB18030", CHARSET_EIGHT_BIT},
	[HZ] = {"GB18030", CHARSET_HZ},
	[ISO_2022_CN] = {"ISO-2022-CN", CHARSET_SEVEN_BIT},
	[BIG5] = {"BIG5-HKSCS", CHARSET_EIGHT_BIT},
	[EUC_TW] = {"EUC-TW", CHARSET_EIGHT_BIT},
	[SHIFT_JIS] = {"CP932", CHARSET_EIGHT_BIT},
	[EUC_JP] = {"EUC-JP-MS", CHARSET_EIGHT_BIT},
	[ISO_2022_JP] = {"EUC-JP-MS", CHARSET_ISO_2022_JP},
	[ISO_2022_JP_2] = {"ISO-2022-JP-2", CHARSET_SEVEN_BIT},
	[EUC_KR] = {"UHC", CHARSET_EIGHT_BIT},
	[JOHAB] = {"JOHAB", CHARSET_EIGHT_BIT},
	[ISO_2022_KR] = {"ISO-2022-KR", CHARSET_SEVEN_BIT},
};

/*
 * The WHATWG encoding standard's labels, IANA's, Windows' code pages and what broken mailers write;
 * only letters and digits, lower case, without "x-".  Sorted in ASCII's order.
 */
/* clang-format off */
static const struct alias {
	const char *key;
	enum index index;
} aliases[] = {
	{"437", IBM437}, {"646", US_ASCII}, {"7bit", US_ASCII}, {"850", IBM850}, {"852", IBM852},
	{"855", IBM855}, {"857", IBM857}, {"866", IBM866}, {"ansi", WINDOWS_1252},
	{"ansi1251", WINDOWS_1251}, {"ansi1252", WINDOWS_1252}, {"ansix34", US_ASCII},
	{"ansix341968", US_ASCII}, {"ansix341986", US_ASCII}, {"applemacintosh", MACINTOSH},
	{"arabic", ISO_8859_6}, {"armscii8", ARMSCII_8}, {"ascii", US_ASCII},
	{"asciius", US_ASCII}, {"asmo708", ISO_8859_6}, {"big5", BIG5}, {"big50", BIG5},
	{"big5eten", BIG5}, {"big5eten0", BIG5}, {"big5hkscs", BIG5}, {"big5hkscs0", BIG5},
	{"big5plus", BIG5}, {"cesu8", UTF_8}, {"chinese", GB18030}, {"cnbig5", BIG5},
	{"cngb", GB18030}, {"cp10000", MACINTOSH}, {"cp10007", MAC_CYRILLIC},
	{"cp10017", MAC_CYRILLIC}, {"cp10029", MAC_CE}, {"cp1200", UTF_16}, {"cp1201", UTF_16BE},
	{"cp1250", WINDOWS_1250}, {"cp1251", WINDOWS_1251}, {"cp1252", WINDOWS_1252},
	{"cp1253", WINDOWS_1253}, {"cp1254", WINDOWS_1254}, {"cp1255", WINDOWS_1255},
	{"cp1256", WINDOWS_1256}, {"cp1257", WINDOWS_1257}, {"cp1258", WINDOWS_1258},
	{"cp1361", JOHAB}, {"cp20866", KOI8_R}, {"cp20936", GB18030}, {"cp21866", KOI8_U},
	{"cp28591", WINDOWS_1252}, {"cp28592", ISO_8859_2}, {"cp28593", ISO_8859_3},
	{"cp28594", ISO_8859_4}, {"cp28595", ISO_8859_5}, {"cp28596", ISO_8859_6},
	{"cp28597", ISO_8859_7}, {"cp28598", ISO_8859_8}, {"cp28599", WINDOWS_1254},
	{"cp28603", ISO_8859_13}, {"cp28605", ISO_8859_15}, {"cp367", US_ASCII},
	{"cp38598", ISO_8859_8}, {"cp437", IBM437}, {"cp50220", ISO_2022_JP},
	{"cp50221", ISO_2022_JP}, {"cp50222", ISO_2022_JP}, {"cp50225", ISO_2022_KR},
	{"cp51932", EUC_JP}, {"cp51949", EUC_KR}, {"cp52936", HZ}, {"cp54936", GB18030},
	{"cp65000", UTF_7}, {"cp65001", UTF_8}, {"cp737", IBM737}, {"cp775", IBM775},
	{"cp819", WINDOWS_1252}, {"cp850", IBM850}, {"cp852", IBM852}, {"cp855", IBM855},
	{"cp857", IBM857}, {"cp858", IBM858}, {"cp860", IBM860}, {"cp861", IBM861},
	{"cp862", IBM862}, {"cp863", IBM863}, {"cp864", IBM864}, {"cp865", IBM865},
	{"cp866", IBM866}, {"cp869", IBM869}, {"cp874", WINDOWS_874}, {"cp932", SHIFT_JIS},
	{"cp936", GB18030}, {"cp943", SHIFT_JIS}, {"cp949", EUC_KR}, {"cp950", BIG5},
	{"csascii", US_ASCII}, {"csbig5", BIG5}, {"csbig5hkscs", BIG5}, {"cseuckr", EUC_KR},
	{"cseucpkdfmtjapanese", EUC_JP}, {"cseuctw", EUC_TW}, {"csgb18030", GB18030},
	{"csgb2312", GB18030}, {"csgbk", GB18030}, {"cshzgb2312", HZ}, {"csibm855", IBM855},
	{"csibm857", IBM857}, {"csibm866", IBM866}, {"csiso2022cn", ISO_2022_CN},
	{"csiso2022jp", ISO_2022_JP}, {"csiso2022jp2", ISO_2022_JP_2},
	{"csiso2022kr", ISO_2022_KR}, {"csiso58gb231280", GB18030}, {"csiso885913", ISO_8859_13},
	{"csiso885914", ISO_8859_14}, {"csiso885915", ISO_8859_15}, {"csiso885916", ISO_8859_16},
	{"csiso88596e", ISO_8859_6}, {"csiso88596i", ISO_8859_6}, {"csiso88598e", ISO_8859_8},
	{"csiso88598i", ISO_8859_8}, {"csisolatin1", WINDOWS_1252}, {"csisolatin2", ISO_8859_2},
	{"csisolatin3", ISO_8859_3}, {"csisolatin4", ISO_8859_4}, {"csisolatin5", WINDOWS_1254},
	{"csisolatin6", ISO_8859_10}, {"csisolatin9", ISO_8859_15},
	{"csisolatinarabic", ISO_8859_6}, {"csisolatincyrillic", ISO_8859_5},
	{"csisolatingreek", ISO_8859_7}, {"csisolatinhebrew", ISO_8859_8},
	{"csjisencoding", ISO_2022_JP}, {"cskoi8r", KOI8_R}, {"cskoi8u", KOI8_U},
	{"csksc56011987", EUC_KR}, {"csmacintosh", MACINTOSH}, {"cspc775baltic", IBM775},
	{"cspc850multilingual", IBM850}, {"cspc862latinhebrew", IBM862},
	{"cspc8codepage437", IBM437}, {"cspcp852", IBM852}, {"csshiftjis", SHIFT_JIS},
	{"cstis620", WINDOWS_874}, {"csucs4", UTF_32}, {"csunicode", UTF_16},
	{"csunicode11utf7", UTF_7}, {"csutf16", UTF_16}, {"csutf16be", UTF_16BE},
	{"csutf16le", UTF_16LE}, {"csutf32", UTF_32}, {"csutf32be", UTF_32BE},
	{"csutf32le", UTF_32LE}, {"csutf7", UTF_7}, {"csutf8", UTF_8}, {"csviscii", VISCII},
	{"cswindows1250", WINDOWS_1250}, {"cswindows1251", WINDOWS_1251},
	{"cswindows1252", WINDOWS_1252}, {"cswindows1253", WINDOWS_1253},
	{"cswindows1254", WINDOWS_1254}, {"cswindows1255", WINDOWS_1255},
	{"cswindows1256", WINDOWS_1256}, {"cswindows1257", WINDOWS_1257},
	{"cswindows1258", WINDOWS_1258}, {"cswindows31j", SHIFT_JIS}, {"cyrillic", ISO_8859_5},
	{"dos874", WINDOWS_874}, {"ecma114", ISO_8859_6}, {"ecma118", ISO_8859_7},
	{"elot928", ISO_8859_7}, {"euccn", GB18030}, {"eucjp", EUC_JP}, {"eucjp0", EUC_JP},
	{"eucjpms", EUC_JP}, {"eucjpwin", EUC_JP}, {"euckr", EUC_KR}, {"euckr0", EUC_KR},
	{"euctw", EUC_TW}, {"extendedunixcodepackedformatforjapanese", EUC_JP}, {"gb", GB18030},
	{"gb18030", GB18030}, {"gb2312", GB18030}, {"gb23120", GB18030}, {"gb23121980", GB18030},
	{"gb231280", GB18030}, {"gbk", GB18030}, {"gbk0", GB18030}, {"georgianps", GEORGIAN_PS},
	{"greek", ISO_8859_7}, {"greek8", ISO_8859_7}, {"hebrew", ISO_8859_8}, {"hz", HZ},
	{"hzgb2312", HZ}, {"ibm00858", IBM858}, {"ibm367", US_ASCII}, {"ibm437", IBM437},
	{"ibm737", IBM737}, {"ibm775", IBM775}, {"ibm819", WINDOWS_1252}, {"ibm850", IBM850},
	{"ibm852", IBM852}, {"ibm855", IBM855}, {"ibm857", IBM857}, {"ibm858", IBM858},
	{"ibm860", IBM860}, {"ibm861", IBM861}, {"ibm862", IBM862}, {"ibm863", IBM863},
	{"ibm864", IBM864}, {"ibm865", IBM865}, {"ibm866", IBM866}, {"ibm869", IBM869},
	{"ibm874", WINDOWS_874}, {"ibm943", SHIFT_JIS}, {"iso10646ucs2", UTF_16},
	{"iso10646ucs4", UTF_32}, {"iso2022cn", ISO_2022_CN}, {"iso2022jp", ISO_2022_JP},
	{"iso2022jp1", ISO_2022_JP}, {"iso2022jp2", ISO_2022_JP_2},
	{"iso2022jp2004", ISO_2022_JP}, {"iso2022jp3", ISO_2022_JP}, {"iso2022jpjp", ISO_2022_JP},
	{"iso2022jpms", ISO_2022_JP}, {"iso2022kr", ISO_2022_KR}, {"iso646irv1991", US_ASCII},
	{"iso646us", US_ASCII}, {"iso88591", WINDOWS_1252}, {"iso885910", ISO_8859_10},
	{"iso8859101992", ISO_8859_10}, {"iso885911", WINDOWS_874},
	{"iso885911987", WINDOWS_1252}, {"iso885913", ISO_8859_13}, {"iso885914", ISO_8859_14},
	{"iso8859141998", ISO_8859_14}, {"iso885915", ISO_8859_15}, {"iso885916", ISO_8859_16},
	{"iso8859162001", ISO_8859_16}, {"iso88592", ISO_8859_2}, {"iso885921987", ISO_8859_2},
	{"iso88593", ISO_8859_3}, {"iso885931988", ISO_8859_3}, {"iso88594", ISO_8859_4},
	{"iso885941988", ISO_8859_4}, {"iso88595", ISO_8859_5}, {"iso885951988", ISO_8859_5},
	{"iso88596", ISO_8859_6}, {"iso885961987", ISO_8859_6}, {"iso88596e", ISO_8859_6},
	{"iso88596i", ISO_8859_6}, {"iso88597", ISO_8859_7}, {"iso885971987", ISO_8859_7},
	{"iso88598", ISO_8859_8}, {"iso885981988", ISO_8859_8}, {"iso88598e", ISO_8859_8},
	{"iso88598i", ISO_8859_8}, {"iso88599", WINDOWS_1254}, {"iso885991989", WINDOWS_1254},
	{"isoir100", WINDOWS_1252}, {"isoir101", ISO_8859_2}, {"isoir109", ISO_8859_3},
	{"isoir110", ISO_8859_4}, {"isoir126", ISO_8859_7}, {"isoir127", ISO_8859_6},
	{"isoir138", ISO_8859_8}, {"isoir144", ISO_8859_5}, {"isoir148", WINDOWS_1254},
	{"isoir149", EUC_KR}, {"isoir157", ISO_8859_10}, {"isoir179", ISO_8859_13},
	{"isoir199", ISO_8859_14}, {"isoir203", ISO_8859_15}, {"isoir226", ISO_8859_16},
	{"isoir58", GB18030}, {"isoir6", US_ASCII}, {"isolatin1", WINDOWS_1252},
	{"jis", ISO_2022_JP}, {"jis7", ISO_2022_JP}, {"johab", JOHAB}, {"koi", KOI8_R},
	{"koi8", KOI8_R}, {"koi8r", KOI8_R}, {"koi8ru", KOI8_U}, {"koi8u", KOI8_U},
	{"korean", EUC_KR}, {"ksc5601", EUC_KR}, {"ksc56011987", EUC_KR}, {"ksc56011989", EUC_KR},
	{"ksc58611992", EUC_KR}, {"l1", WINDOWS_1252}, {"l10", ISO_8859_16}, {"l2", ISO_8859_2},
	{"l3", ISO_8859_3}, {"l4", ISO_8859_4}, {"l5", WINDOWS_1254}, {"l6", ISO_8859_10},
	{"l7", ISO_8859_13}, {"l8", ISO_8859_14}, {"l9", ISO_8859_15}, {"latin1", WINDOWS_1252},
	{"latin10", ISO_8859_16}, {"latin2", ISO_8859_2}, {"latin3", ISO_8859_3},
	{"latin4", ISO_8859_4}, {"latin5", WINDOWS_1254}, {"latin6", ISO_8859_10},
	{"latin7", ISO_8859_13}, {"latin8", ISO_8859_14}, {"latin9", ISO_8859_15},
	{"logical", ISO_8859_8}, {"mac", MACINTOSH}, {"macce", MAC_CE},
	{"maccentraleurope", MAC_CE}, {"maccentraleurroman", MAC_CE},
	{"maccyrillic", MAC_CYRILLIC}, {"macintosh", MACINTOSH}, {"macroman", MACINTOSH},
	{"macukrainian", MAC_CYRILLIC}, {"ms932", SHIFT_JIS}, {"ms936", GB18030},
	{"ms949", EUC_KR}, {"ms950", BIG5}, {"mskanji", SHIFT_JIS},
	{"pcmultilingual850euro", IBM858}, {"shiftjis", SHIFT_JIS}, {"shiftjis2004", SHIFT_JIS},
	{"shiftjisx0213", SHIFT_JIS}, {"sjis", SHIFT_JIS}, {"suneugreek", ISO_8859_7},
	{"tcvn", TCVN}, {"tcvn5712", TCVN}, {"tcvn57121", TCVN}, {"thai", WINDOWS_874},
	{"tis620", WINDOWS_874}, {"tis6202533", WINDOWS_874}, {"ucs2", UTF_16},
	{"ucs2be", UTF_16BE}, {"ucs2le", UTF_16LE}, {"ucs4", UTF_32}, {"ucs4be", UTF_32BE},
	{"ucs4le", UTF_32LE}, {"uft8", UTF_8}, {"uhc", EUC_KR}, {"ujis", EUC_JP},
	{"unicode", UTF_16}, {"unicode11utf7", UTF_7}, {"unicode11utf8", UTF_8},
	{"unicode20utf7", UTF_7}, {"unicode20utf8", UTF_8}, {"unicodefeff", UTF_16},
	{"unicodefffe", UTF_16BE}, {"us", US_ASCII}, {"usascii", US_ASCII}, {"usasii", US_ASCII},
	{"utf", UTF_8}, {"utf16", UTF_16}, {"utf16be", UTF_16BE}, {"utf16le", UTF_16LE},
	{"utf32", UTF_32}, {"utf32be", UTF_32BE}, {"utf32le", UTF_32LE}, {"utf7", UTF_7},
	{"utf8", UTF_8}, {"utf8mb4", UTF_8}, {"utf8n", UTF_8}, {"viscii", VISCII},
	{"viscii11", VISCII}, {"visual", ISO_8859_8}, {"win1250", WINDOWS_1250},
	{"win1251", WINDOWS_1251}, {"win1252", WINDOWS_1252}, {"win1253", WINDOWS_1253},
	{"win1254", WINDOWS_1254}, {"win1255", WINDOWS_1255}, {"win1256", WINDOWS_1256},
	{"win1257", WINDOWS_1257}, {"win1258", WINDOWS_1258}, {"windows125", WINDOWS_1252},
	{"windows1250", WINDOWS_1250}, {"windows1251", WINDOWS_1251},
	{"windows1252", WINDOWS_1252}, {"windows1253", WINDOWS_1253},
	{"windows1254", WINDOWS_1254}, {"windows1255", WINDOWS_1255},
	{"windows1256", WINDOWS_1256}, {"windows1257", WINDOWS_1257},
	{"windows1258", WINDOWS_1258}, {"windows31j", SHIFT_JIS}, {"windows874", WINDOWS_874},
	{"windows932", SHIFT_JIS}, {"windows936", GB18030}, {"windows949", EUC_KR},
	{"windows950", BIG5}, {"windowscp1250", WINDOWS_1250}, {"windowscp1251", WINDOWS_1251},
	{"windowscp1252", WINDOWS_1252}, {"windowscp1253", WINDOWS_1253},
	{"windowscp1254", WINDOWS_1254}, {"windowscp1255", WINDOWS_1255},
	{"windowscp1256", WINDOWS_1256}, {"windowscp1257", WINDOWS_1257},
	{"windowscp1258", WINDOWS_1258}, {"xbig5", BIG5},
};
/* clang-format on */

/* "ISO_8859-1:1987" and "iso8859-1" are the same; so are "utf-8*en" (RFC 2231, 5) and "utf-8". */
static void normalize(const char *label, size_t size, char key[LABEL_MAX])
{
	size_t length = 0;

	while (size > 0 && g_ascii_isspace(*label)) {
		label++;
		size--;
	}
	if (size > 2 && g_ascii_strncasecmp(label, "x-", 2) == 0) {
		label += 2;
		size -= 2;
	}
	for (size_t i = 0; i < size && label[i] != '*' && length < LABEL_MAX - 1; i++)
		if (g_ascii_isalnum(label[i]))
			key[length++] = g_ascii_tolower(label[i]);
	key[length] = '\0';
}

static int compare(const void *key, const void *alias)
{
	return strcmp(key, ((const struct alias *)alias)->key);
}

const struct charset *charset_find(const char *label, size_t size)
{
	char key[LABEL_MAX];

	normalize(label, size, key);
	const struct alias *alias =
		bsearch(key, aliases, G_N_ELEMENTS(aliases), sizeof(aliases[0]), compare);
	return alias != NULL ? &charsets[alias->index] : NULL;
}

size_t charset_index(const struct charset *charset)
{
	return (size_t)(charset - charsets);
}

bool charset_table_is_sorted(void)
{
	for (size_t i = 1; i < G_N_ELEMENTS(aliases); i++)
		if (strcmp(aliases[i - 1].key, aliases[i].key) >= 0)
			return false;
	return true;
}
