#include "mailin/parse/reply_footer.h"

#include <string.h>

#include <glib.h>

#include "mailin/parse/reply_lines.h"

enum {
	LINE_MAX_BYTES = 300,
	WORDS_MAX = 16,
	SHORT_WORDS_MAX = 4, /* "Sent from my TI-85" needs no name that is known */
};

enum need {
	NEED_NOTHING,
	NEED_PLATFORM,       /* "iOS" */
	NEED_DEVICE,         /* before the first comma or full stop */
	NEED_DEVICE_OR_SHORT /* ... or few words and none of these */
};

static const struct footer {
	const char *begin; /* of the line */
	const char *end;
	enum need need;
} footers[] = {
	{"sent from my ", "", NEED_DEVICE_OR_SHORT},
	{"sent from my cell", "", NEED_NOTHING},
	{"sent from ", "", NEED_DEVICE},
	{"sent via ", "", NEED_DEVICE},
	{"sent with ", "", NEED_DEVICE},
	{"sent using ", "", NEED_DEVICE},
	{"sent by ", "", NEED_DEVICE},
	{"sent on ", "", NEED_DEVICE},
	{"sent through ", "", NEED_DEVICE},
	{"sent securely ", "", NEED_DEVICE},
	{"send from my ", "", NEED_DEVICE},
	{"from my ", "", NEED_DEVICE},
	{"", " from mobile", NEED_DEVICE_OR_SHORT},
	{"", " from my mobile", NEED_DEVICE_OR_SHORT},
	{"get outlook for ", "", NEED_PLATFORM},
	{"download outlook for ", "", NEED_PLATFORM},
	{"get the outlook app", "", NEED_NOTHING},
	{"this message was sent from my ", "", NEED_DEVICE},
	{"von mein", "gesendet", NEED_DEVICE},
	{"von meinem mobiltelefon gesendet", "", NEED_NOTHING},
	{"von meinem smartphone gesendet", "", NEED_NOTHING},
	{"von meinem handy gesendet", "", NEED_NOTHING},
	{"von unterwegs gesendet", "", NEED_NOTHING},
	{"von unterwegs", "gesendet", NEED_NOTHING},
	{"diese nachricht wurde ", "gesendet", NEED_DEVICE},
	{"gesendet von mein", "", NEED_DEVICE},
	{"gesendet von ", "", NEED_DEVICE},
	{"gesendet mit ", "", NEED_DEVICE},
	{"gesendet über ", "", NEED_DEVICE},
	{"gesendet vom ", "", NEED_DEVICE},
	{"versendet mit ", "", NEED_DEVICE},
	{"outlook für ", " beziehen", NEED_PLATFORM},
	{"outlook für ", " herunterladen", NEED_PLATFORM},
	{"holen sie sich outlook für", "", NEED_PLATFORM},
	{"laden sie outlook für", "", NEED_PLATFORM},
	{"envoyé de ", "", NEED_DEVICE},
	{"envoyé depuis ", "", NEED_DEVICE},
	{"envoyé à partir ", "", NEED_DEVICE},
	{"envoyé par ", "", NEED_DEVICE},
	{"envoyé avec ", "", NEED_DEVICE},
	{"envoyé via ", "", NEED_DEVICE},
	{"obtenez outlook pour ", "", NEED_PLATFORM},
	{"télécharger outlook pour ", "", NEED_PLATFORM},
	{"obtenir outlook pour ", "", NEED_PLATFORM},
	{"enviado desde ", "", NEED_DEVICE},
	{"enviado con ", "", NEED_DEVICE},
	{"obtener outlook para ", "", NEED_PLATFORM},
	{"obtén outlook para ", "", NEED_PLATFORM},
	{"descargar outlook para ", "", NEED_PLATFORM},
	{"inviato da", "", NEED_DEVICE},
	{"inviato con ", "", NEED_DEVICE},
	{"ottieni outlook per ", "", NEED_PLATFORM},
	{"scarica outlook per ", "", NEED_PLATFORM},
	{"enviado do ", "", NEED_DEVICE},
	{"enviado de ", "", NEED_DEVICE},
	{"enviado a partir d", "", NEED_DEVICE},
	{"enviado via ", "", NEED_DEVICE},
	{"enviado por ", "", NEED_DEVICE},
	{"enviada do ", "", NEED_DEVICE},
	{"obter o outlook para ", "", NEED_PLATFORM},
	{"obtenha o outlook para ", "", NEED_PLATFORM},
	{"baixar o outlook para ", "", NEED_PLATFORM},
	{"verzonden vanaf ", "", NEED_DEVICE},
	{"verzonden met ", "", NEED_DEVICE},
	{"verzonden via ", "", NEED_DEVICE},
	{"verzonden van ", "", NEED_DEVICE},
	{"verstuurd vanaf ", "", NEED_DEVICE},
	{"verstuurd met ", "", NEED_DEVICE},
	{"verstuurd via ", "", NEED_DEVICE},
	{"outlook voor ", " downloaden", NEED_PLATFORM},
	{"download outlook voor ", "", NEED_PLATFORM},
	{"outlook downloaden voor ", "", NEED_PLATFORM},
	{"skickat från ", "", NEED_DEVICE},
	{"skickat med ", "", NEED_DEVICE},
	{"skickat via ", "", NEED_DEVICE},
	{"hämta outlook för ", "", NEED_PLATFORM},
	{"skaffa outlook för ", "", NEED_PLATFORM},
	{"sendt fra ", "", NEED_DEVICE},
	{"sendt med ", "", NEED_DEVICE},
	{"sendt via ", "", NEED_DEVICE},
	{"hent outlook til ", "", NEED_PLATFORM},
	{"få outlook til ", "", NEED_PLATFORM},
	{"få outlook for ", "", NEED_PLATFORM},
	{"skaff deg outlook for ", "", NEED_PLATFORM},
	{"lähetetty ", "", NEED_DEVICE},
	{"hanki outlook ", "", NEED_PLATFORM},
	{"wysłano z ", "", NEED_DEVICE},
	{"wysłane z ", "", NEED_DEVICE},
	{"wysłano za ", "", NEED_DEVICE},
	{"pobierz outlook dla ", "", NEED_PLATFORM},
	{"pobierz program outlook ", "", NEED_PLATFORM},
	{"odesláno z", "", NEED_DEVICE},
	{"odesláno pomocí ", "", NEED_DEVICE},
	{"získat outlook pro ", "", NEED_PLATFORM},
	{"odoslané z", "", NEED_DEVICE},
	{"poslano z", "", NEED_DEVICE},
	{"poslano s", "", NEED_DEVICE},
	{"Отправлено ", "", NEED_DEVICE},
	{"Послано ", "", NEED_DEVICE},
	{"Скачать outlook для ", "", NEED_PLATFORM},
	{"Получить outlook для ", "", NEED_PLATFORM},
	{"Надіслано ", "", NEED_DEVICE},
	{"Відправлено ", "", NEED_DEVICE},
	{"Изпратено от ", "", NEED_DEVICE},
	{"trimis de ", "", NEED_DEVICE},
	{"trimis din ", "", NEED_DEVICE},
	{"", "küldve", NEED_DEVICE},
	{"elküldve ", "", NEED_DEVICE},
	{"Στάλθηκε από ", "", NEED_DEVICE},
	{"Εστάλη από ", "", NEED_DEVICE},
	{"", "gönderildi", NEED_DEVICE},
	{"", "tarafından gönderildi", NEED_DEVICE},
	{"saadetud minu ", "", NEED_DEVICE},
	{"nosūtīts no ", "", NEED_DEVICE},
	{"išsiųsta iš ", "", NEED_DEVICE},
	{"đã gửi từ ", "", NEED_DEVICE},
	{"Đã gửi từ ", "", NEED_DEVICE},
	{"Được gửi từ ", "", NEED_DEVICE},
	{"dikirim dari ", "", NEED_DEVICE},
	{"", "から送信", NEED_DEVICE},
	{"", "からの送信", NEED_DEVICE},
	{"", "から送信されました", NEED_DEVICE},
	{"发自", "", NEED_DEVICE},
	{"从我的", "", NEED_DEVICE},
	{"從我的", "", NEED_DEVICE},
	{"发送自", "", NEED_DEVICE},
	{"来自", "", NEED_DEVICE},
	{"使用", "发送", NEED_DEVICE},
	{"傳送自", "", NEED_DEVICE},
	{"寄自", "", NEED_DEVICE},
	{"", "에서 보냄", NEED_DEVICE},
	{"", "에서 보낸", NEED_DEVICE},
	{"ส่งจาก ", "", NEED_DEVICE},
	{"נשלח מ", "", NEED_DEVICE},
	{"أرسلت من ", "", NEED_DEVICE},
	{"أُرسلت من ", "", NEED_DEVICE},
	{"مرسل من ", "", NEED_DEVICE},
	{"dihantar dari", "", NEED_DEVICE},
	{"تم الإرسال من ", "", NEED_DEVICE},
	{"poslano iz ", "", NEED_DEVICE},
	{"enviat des d", "", NEED_DEVICE},
	{"", "से भेजा गया", NEED_DEVICE},
	{"verzonden vanuit ", "", NEED_DEVICE},
	{"skickades från ", "", NEED_DEVICE},
	{"provenance : ", "", NEED_DEVICE},
	{"从 ", "发送", NEED_DEVICE},
	{"從 ", "傳送", NEED_DEVICE},
	{"mobil gesendet", "", NEED_NOTHING},
	{"gesendet von unterwegs", "", NEED_NOTHING},
	{"yahoo mail: search, organize, conquer", "", NEED_NOTHING},
	{"baixe o outlook para ", "", NEED_PLATFORM},
	{"hent outlook for ", "", NEED_PLATFORM},
	{"pobierz aplikację outlook ", "", NEED_PLATFORM},
	{"stáhnout outlook pro ", "", NEED_PLATFORM},
	{"získať outlook pre ", "", NEED_PLATFORM},
	{"az ", "outlook beszerzése", NEED_PLATFORM},
	{"descărcați outlook pentru ", "", NEED_PLATFORM},
	{"obțineți outlook pentru ", "", NEED_PLATFORM},
	{"Отримати outlook для ", "", NEED_PLATFORM},
	{"Завантажити outlook для ", "", NEED_PLATFORM},
	{"Λήψη του outlook για ", "", NEED_PLATFORM},
	{"", "için outlook'u edinin", NEED_PLATFORM},
	{"", "için outlook'u indirin", NEED_PLATFORM},
	{"outlook for ", "を入手", NEED_PLATFORM},
	{"", "版 outlook を入手", NEED_PLATFORM},
	{"获取 outlook for ", "", NEED_PLATFORM},
	{"获取适用于 ", " outlook", NEED_PLATFORM},
	{"取得 ", " 版 outlook", NEED_PLATFORM},
	{"下載 outlook for ", "", NEED_PLATFORM},
	{"outlook for ", " 받기", NEED_PLATFORM},
	{"", "용 outlook 다운로드", NEED_PLATFORM},
	{"tải xuống outlook dành cho ", "", NEED_PLATFORM},
	{"ดาวน์โหลด outlook สำหรับ ", "", NEED_PLATFORM},
	{"קבל את outlook עבור ", "", NEED_PLATFORM},
	{"הורד את outlook עבור ", "", NEED_PLATFORM},
	{"احصل على outlook ", "", NEED_PLATFORM},
};

/* As they begin a word; what has a capital is a word of its own, written so: "Sent with Spark". */
static const char *const devices[] = {
	"iphon",       "ipad",       "ipod",       "apple watch", "android",  "blackberry",
	"samsung",     "galaxy",     "huawei",     "xiaomi",      "redmi",    "nokia",
	"lumia",       "xperia",     "oneplus",    "motorola",    "realme",   "fairphone",
	"windows",     "mobil",      "móvil",      "movil",       "phone",    "tablet",
	"handheld",    "device",     "outlook",    "gmail",       "yahoo",    "k-9",
	"proton",      "tutanota",   "gmx",        "web.de",      "mail.ru",  "t-online",
	"telekom",     "t-mobile",   "verizon",    "at&t",        "vodafone", "superhuman",
	"thunderbird", "macbook",    "laptop",     "chromebook",  "telefon",  "teléfono",
	"téléphone",   "telefone",   "telefoon",   "cellulare",   "celular",  "smartphone",
	"gsm",         "posteo",     "fastmail",   "zoho",        "typeapp",  "bluemail",
	"mymail",      "pixel",      "mailspring", "puhelime",    "komórk",   "телефон",
	"Яндекс",      "κινητό",     "手机",       "手機",        "携帯",     "网易邮箱",
	"邮箱大师",    "邮箱客户端", "스마트폰",   "모바일",      "Mac",      "Mail",
	"Mailbox",     "Handy",      "Pixel",      "HTC",         "Surface",  "Honor",
	"HONOR",       "Oppo",       "OPPO",       "Vivo",        "HEY",      "Hey",
	"Front",       "Newton",     "Spark",      "Swipe",       "Nine",     "Spike",
	"Shortwave",   "Boxer",      "Canary",     "Missive",     "Airmail",  "Polymail",
	"Mailtrack",
};

static const char *const platforms[] = {"ios",     "android", "mac",   "macos",
					"windows", "iphone",  "mobile"};

/* A line without links and brackets. */
struct line {
	char text[LINE_MAX_BYTES];  /* lower case ... */
	char cased[LINE_MAX_BYTES]; /* ... and as it came, byte for byte */
	bool link;                  /* there was one */
};

static bool has_word(const char *text, size_t size, const char *word, bool whole)
{
	size_t length = strlen(word);
	const char *end = text + size;

	for (const char *p = memmem(text, size, word, length); p != NULL;
	     p = memmem(p + 1, (size_t)(end - p - 1), word, length))
		if ((p == text || !g_ascii_isalpha(p[-1])) &&
		    (!whole || p + length == end || !g_ascii_isalpha(p[length])))
			return true;
	return false;
}

static bool has_device(const char *text, const char *cased, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
		bool name = g_ascii_isupper(*devices[i]);

		if (has_word(name ? cased : text, size, devices[i], name))
			return true;
	}
	return false;
}

static bool has_platform(const char *text, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(platforms); i++)
		if (has_word(text, size, platforms[i], true))
			return true;
	return false;
}

static size_t count_words(const char *text)
{
	size_t words = 0;

	for (const char *p = text; *p != '\0'; p++)
		words += *p != ' ' && (p == text || p[-1] == ' ');
	return words;
}

/* Without links, brackets and what brackets a line, so that "<<sent by Galaxy>>" and "Get [Outlook
 * for iOS](https://aka.ms/o0ukef)" read like the rest.  True if there was a link. */
static bool simplify(char *text)
{
	char *out = text;
	bool link = false;

	for (char *p = text; *p != '\0';) {
		if (*p == 'h' &&
		    (g_str_has_prefix(p, "http://") || g_str_has_prefix(p, "https://"))) {
			p += strcspn(p, " )>]");
			link = true;
			continue;
		}
		char c = *p++;
		if (strchr("[]()<>_\"", c) == NULL)
			*out++ = c;
		else if (out > text && out[-1] != ' ' && *p != ' ' && *p != '\0' && c != '[')
			*out++ = ' ';
	}
	while (out > text && strchr(" .!-,", out[-1]) != NULL)
		out--;
	*out = '\0';
	return link;
}

/* Behind the first `begin` bytes. */
static bool is_needed_there(const struct line *line, size_t begin, enum need need)
{
	const char *text = line->text + begin;
	size_t size = strcspn(text, ",.;!?");

	/* "Sent from WEB.DE" has a full stop, too. */
	while (text[size] == '.' && text[size + 1] != '\0' && text[size + 1] != ' ')
		size += 1 + strcspn(text + size + 1, ",.;!?");
	bool is_short = text[size] == '\0' && count_words(text) <= SHORT_WORDS_MAX;

	switch (need) {
	case NEED_NOTHING:
		return true;
	case NEED_PLATFORM:
		return has_platform(text, size);
	case NEED_DEVICE:
		return has_device(text, line->cased + begin, size) || (is_short && line->link);
	case NEED_DEVICE_OR_SHORT:
		return is_short || has_device(text, line->cased + begin, size);
	}
	return false;
}

/* Most of them differ in the first byte, or in the last one. */
static bool fits(const struct footer *footer, const struct line *line, size_t start, size_t size)
{
	const char *text = line->text + start;

	if (*footer->begin != '\0' && *footer->begin != *text)
		return false;
	size_t begin = strlen(footer->begin);
	size_t end = strlen(footer->end);

	if (size < MAX(begin, end) || (end > 0 && footer->end[end - 1] != text[size - 1]))
		return false;
	return strncmp(text, footer->begin, begin) == 0 &&
	       strcmp(text + size - end, footer->end) == 0 &&
	       is_needed_there(line, start + begin, footer->need);
}

bool reply_is_footer(const char *text, size_t size)
{
	struct line line;

	if (size >= sizeof(line.cased) - 2)
		return false;
	reply_join(text, size, line.cased, sizeof(line.cased));
	line.link = simplify(line.cased);
	for (size_t i = 0; i == 0 || line.cased[i - 1] != '\0'; i++)
		line.text[i] = g_ascii_tolower(line.cased[i]);
	size_t start = strspn(line.text, " -~:.");
	size_t left = strlen(line.text + start);

	if (left == 0 || count_words(line.text + start) > WORDS_MAX)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(footers); i++)
		if (fits(&footers[i], &line, start, left))
			return true;
	return false;
}
