#include "mailin/parse/filename.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

/* An extension up to this many bytes, dot included, survives the cut of a long name. */
enum { EXTENSION_MAX = 16 };

/* So far the cut moves back to keep a letter and its accents, or an emoji's parts, together. */
enum { CLUSTER_MAX = 64 };

/* Normalising is quadratic in a run of combining marks: longer names are cut before. */
enum { NORMALIZE_MAX = 4096 };

#define ZERO_WIDTH_NON_JOINER 0x200C
#define ZERO_WIDTH_JOINER 0x200D
#define EMOJI_MODIFIER_FIRST 0x1F3FB
#define EMOJI_MODIFIER_LAST 0x1F3FF

/* "[MS-FSA]" 2.1.5.1: these name devices with any extension; the digits may be superscript. */
static const char *const device_names[] = {
	"CON",  "PRN",  "AUX",  "NUL",  "CLOCK$", "CONIN$", "CONOUT$", "COM0", "COM1",
	"COM2", "COM3", "COM4", "COM5", "COM6",   "COM7",   "COM8",    "COM9", "COM¹",
	"COM²", "COM³", "LPT0", "LPT1", "LPT2",   "LPT3",   "LPT4",    "LPT5", "LPT6",
	"LPT7", "LPT8", "LPT9", "LPT¹", "LPT²",   "LPT³",
};

struct type_extension {
	const char *type;
	const char *extension;
};

/* Sorted by type. */
static const struct type_extension type_extensions[] = {
	{"application/gzip", "gz"},
	{"application/ics", "ics"},
	{"application/java-archive", "jar"},
	{"application/json", "json"},
	{"application/mbox", "mbox"},
	{"application/ms-tnef", "dat"},
	{"application/msword", "doc"},
	{"application/pdf", "pdf"},
	{"application/pgp-encrypted", "pgp"},
	{"application/pgp-keys", "asc"},
	{"application/pgp-signature", "asc"},
	{"application/pkcs7-mime", "p7m"},
	{"application/pkcs7-signature", "p7s"},
	{"application/postscript", "ps"},
	{"application/rtf", "rtf"},
	{"application/vnd.ms-excel", "xls"},
	{"application/vnd.ms-outlook", "msg"},
	{"application/vnd.ms-powerpoint", "ppt"},
	{"application/vnd.ms-tnef", "dat"},
	{"application/vnd.oasis.opendocument.presentation", "odp"},
	{"application/vnd.oasis.opendocument.spreadsheet", "ods"},
	{"application/vnd.oasis.opendocument.text", "odt"},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
	{"application/vnd.rar", "rar"},
	{"application/x-7z-compressed", "7z"},
	{"application/x-bzip2", "bz2"},
	{"application/x-gzip", "gz"},
	{"application/x-pkcs7-mime", "p7m"},
	{"application/x-pkcs7-signature", "p7s"},
	{"application/x-rar-compressed", "rar"},
	{"application/x-tar", "tar"},
	{"application/x-zip-compressed", "zip"},
	{"application/xhtml+xml", "xhtml"},
	{"application/xml", "xml"},
	{"application/zip", "zip"},
	{"audio/aac", "aac"},
	{"audio/amr", "amr"},
	{"audio/flac", "flac"},
	{"audio/midi", "mid"},
	{"audio/mp4", "m4a"},
	{"audio/mpeg", "mp3"},
	{"audio/ogg", "ogg"},
	{"audio/wav", "wav"},
	{"audio/x-m4a", "m4a"},
	{"audio/x-wav", "wav"},
	{"image/avif", "avif"},
	{"image/bmp", "bmp"},
	{"image/gif", "gif"},
	{"image/heic", "heic"},
	{"image/heif", "heif"},
	{"image/jp2", "jp2"},
	{"image/jpeg", "jpg"},
	{"image/jpg", "jpg"},
	{"image/jxl", "jxl"},
	{"image/pjpeg", "jpg"},
	{"image/png", "png"},
	{"image/svg+xml", "svg"},
	{"image/tiff", "tif"},
	{"image/vnd.microsoft.icon", "ico"},
	{"image/webp", "webp"},
	{"image/x-icon", "ico"},
	{"image/x-ms-bmp", "bmp"},
	{"image/x-png", "png"},
	{"message/delivery-status", "txt"},
	{"message/disposition-notification", "txt"},
	{"message/feedback-report", "txt"},
	{"message/global", "eml"},
	{"message/rfc822", "eml"},
	{"text/calendar", "ics"},
	{"text/css", "css"},
	{"text/csv", "csv"},
	{"text/directory", "vcf"},
	{"text/enriched", "txt"},
	{"text/html", "html"},
	{"text/markdown", "md"},
	{"text/plain", "txt"},
	{"text/rfc822-headers", "txt"},
	{"text/richtext", "rtx"},
	{"text/rtf", "rtf"},
	{"text/vcard", "vcf"},
	{"text/x-amp-html", "html"},
	{"text/x-vcalendar", "vcs"},
	{"text/x-vcard", "vcf"},
	{"text/xml", "xml"},
	{"video/3gpp", "3gp"},
	{"video/mp4", "mp4"},
	{"video/mpeg", "mpg"},
	{"video/ogg", "ogv"},
	{"video/quicktime", "mov"},
	{"video/webm", "webm"},
	{"video/x-matroska", "mkv"},
	{"video/x-ms-wmv", "wmv"},
	{"video/x-msvideo", "avi"},
};

/* The last component; "a/b/" is "b". */
static char *last_component(const char *name)
{
	size_t end = strlen(name);

	while (end > 0 && strchr("/\\", name[end - 1]) != NULL)
		end--;
	size_t start = end;
	while (start > 0 && name[start - 1] != '/' && name[start - 1] != '\\')
		start--;
	return g_strndup(name + start, end - start);
}

/* Format characters reorder or hide what stands around them ("x\u202Egpj.exe" looks like
 * "xexe.jpg"); the two joiners are spelling in Persian, Indic scripts and emoji. */
static bool unwanted(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_FORMAT:
		return c != ZERO_WIDTH_JOINER && c != ZERO_WIDTH_NON_JOINER;
	case G_UNICODE_CONTROL:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
		return true;
	default:
		return false;
	}
}

static char *replace_unsafe(const char *name)
{
	GString *out = g_string_sized_new(strlen(name));

	for (const char *p = name; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == '\t' || c == '\n' || c == '\r')
			g_string_append_c(out, ' ');
		else if (c < 0x80 && strchr("<>:\"|?*", (int)c) != NULL)
			g_string_append_c(out, '_');
		else if (!unwanted(c))
			g_string_append_unichar(out, c);
	}
	return g_string_free(out, FALSE);
}

/* No leading dots (hidden files, ".."), no trailing ones (Windows drops them); in place. */
static char *trim(char *name)
{
	size_t start = strspn(name, ". ");
	size_t size = strlen(name + start);

	memmove(name, name + start, size + 1);
	while (size > 0 && strchr(". ", name[size - 1]) != NULL)
		name[--size] = '\0';
	return name;
}

static bool is_device_name(const char *name)
{
	size_t stem = strcspn(name, ".");

	while (stem > 0 && name[stem - 1] == ' ')
		stem--;
	for (size_t i = 0; i < G_N_ELEMENTS(device_names); i++)
		if (strlen(device_names[i]) == stem &&
		    g_ascii_strncasecmp(name, device_names[i], stem) == 0)
			return true;
	return false;
}

static bool joined_to_previous(const char *p)
{
	gunichar c = g_utf8_get_char(p);

	return g_unichar_ismark(c) || c == ZERO_WIDTH_JOINER ||
	       (c >= EMOJI_MODIFIER_FIRST && c <= EMOJI_MODIFIER_LAST);
}

/* The largest prefix of at most max_bytes that ends between two characters as people see them. */
static size_t prefix_size(const char *name, size_t max_bytes)
{
	if (strlen(name) <= max_bytes)
		return strlen(name);

	size_t cut = max_bytes;
	while (cut > 0 && ((unsigned char)name[cut] & 0xC0) == 0x80)
		cut--;
	for (size_t whole = cut; whole > 0 && cut - whole < CLUSTER_MAX;) {
		const char *previous = g_utf8_prev_char(name + whole);

		if (!joined_to_previous(name + whole) &&
		    g_utf8_get_char(previous) != ZERO_WIDTH_JOINER)
			return whole;
		whole = (size_t)(previous - name);
	}
	return cut;
}

static char *cut_name(const char *name, size_t max_bytes)
{
	if (strlen(name) <= max_bytes)
		return g_strdup(name);

	const char *extension = strrchr(name, '.');
	if (extension == NULL || extension == name || strlen(extension) > EXTENSION_MAX ||
	    strlen(extension) >= max_bytes)
		extension = "";

	g_autofree char *stem = g_strndup(name, prefix_size(name, max_bytes - strlen(extension)));
	return g_strconcat(g_strchomp(stem), extension, NULL);
}

char *filename_safe(const char *name, size_t max_bytes)
{
	g_autofree char *component = last_component(name);
	g_autofree char *valid = g_utf8_make_valid(component, -1);
	g_autofree char *clean = replace_unsafe(valid);
	g_autofree char *bounded = cut_name(trim(clean), NORMALIZE_MAX);
	g_autofree char *normal = g_utf8_normalize(bounded, -1, G_NORMALIZE_NFC);
	g_autofree char *harmless =
		is_device_name(normal) ? g_strconcat("_", normal, NULL) : g_strdup(normal);
	g_autofree char *result = trim(cut_name(harmless, max_bytes));

	return *result == '\0' ? NULL : g_steal_pointer(&result);
}

static const char *extension_of(const char *content_type)
{
	if (content_type == NULL)
		return "bin";
	for (size_t i = 0; i < G_N_ELEMENTS(type_extensions); i++)
		if (g_ascii_strcasecmp(content_type, type_extensions[i].type) == 0)
			return type_extensions[i].extension;
	return g_ascii_strncasecmp(content_type, "text/", strlen("text/")) == 0 ? "txt" : "bin";
}

char *filename_invent(size_t position, const char *content_type)
{
	return g_strdup_printf("attachment-%zu.%s", position, extension_of(content_type));
}
