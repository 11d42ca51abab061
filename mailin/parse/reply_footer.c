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
	NEED_DEVICE,         /* before the first comma or full stop */
	NEED_DEVICE_OR_SHORT /* ... or few words and none of these */
};

static const struct footer {
	const char *begin; /* of the line */
	const char *end;
	enum need need;
} footers[] = {
	{"sent from my ", "", NEED_DEVICE_OR_SHORT},
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
	{"get outlook for ", "", NEED_NOTHING},
	{"download outlook for ", "", NEED_NOTHING},
	{"get the outlook app", "", NEED_NOTHING},
	{"this message was sent from my ", "", NEED_DEVICE},
	{"von mein", "gesendet", NEED_NOTHING},
	{"von unterwegs gesendet", "", NEED_NOTHING},
	{"von unterwegs", "gesendet", NEED_NOTHING},
	{"diese nachricht wurde ", "gesendet", NEED_DEVICE},
	{"gesendet von mein", "", NEED_DEVICE},
	{"gesendet von ", "", NEED_DEVICE},
	{"gesendet mit ", "", NEED_DEVICE},
	{"gesendet über ", "", NEED_DEVICE},
	{"gesendet vom ", "", NEED_DEVICE},
	{"versendet mit ", "", NEED_DEVICE},
	{"outlook für ", " beziehen", NEED_NOTHING},
	{"outlook für ", " herunterladen", NEED_NOTHING},
	{"holen sie sich outlook für", "", NEED_NOTHING},
	{"laden sie outlook für", "", NEED_NOTHING},
	{"envoyé de ", "", NEED_DEVICE},
	{"envoyé depuis ", "", NEED_DEVICE},
	{"envoyé à partir ", "", NEED_DEVICE},
	{"envoyé par ", "", NEED_DEVICE},
	{"envoyé avec ", "", NEED_DEVICE},
	{"envoyé via ", "", NEED_DEVICE},
	{"obtenez outlook pour ", "", NEED_NOTHING},
	{"télécharger outlook pour ", "", NEED_NOTHING},
	{"obtenir outlook pour ", "", NEED_NOTHING},
	{"enviado desde ", "", NEED_DEVICE},
	{"enviado con ", "", NEED_DEVICE},
	{"obtener outlook para ", "", NEED_NOTHING},
	{"obtén outlook para ", "", NEED_NOTHING},
	{"descargar outlook para ", "", NEED_NOTHING},
	{"inviato da", "", NEED_DEVICE},
	{"inviato con ", "", NEED_DEVICE},
	{"ottieni outlook per ", "", NEED_NOTHING},
	{"scarica outlook per ", "", NEED_NOTHING},
	{"enviado do ", "", NEED_DEVICE},
	{"enviado de ", "", NEED_DEVICE},
	{"enviado a partir d", "", NEED_DEVICE},
	{"enviado via ", "", NEED_DEVICE},
	{"enviado por ", "", NEED_DEVICE},
	{"enviada do ", "", NEED_DEVICE},
	{"obter o outlook para ", "", NEED_NOTHING},
	{"obtenha o outlook para ", "", NEED_NOTHING},
	{"baixar o outlook para ", "", NEED_NOTHING},
	{"verzonden vanaf ", "", NEED_DEVICE},
	{"verzonden met ", "", NEED_DEVICE},
	{"verzonden via ", "", NEED_DEVICE},
	{"verzonden van ", "", NEED_DEVICE},
	{"verstuurd vanaf ", "", NEED_DEVICE},
	{"verstuurd met ", "", NEED_DEVICE},
	{"verstuurd via ", "", NEED_DEVICE},
	{"outlook voor ", " downloaden", NEED_NOTHING},
	{"download outlook voor ", "", NEED_NOTHING},
	{"outlook downloaden voor ", "", NEED_NOTHING},
	{"skickat från ", "", NEED_DEVICE},
	{"skickat med ", "", NEED_DEVICE},
	{"skickat via ", "", NEED_DEVICE},
	{"hämta outlook för ", "", NEED_NOTHING},
	{"skaffa outlook för ", "", NEED_NOTHING},
	{"sendt fra ", "", NEED_DEVICE},
	{"sendt med ", "", NEED_DEVICE},
	{"sendt via ", "", NEED_DEVICE},
	{"hent outlook til ", "", NEED_NOTHING},
	{"få outlook til ", "", NEED_NOTHING},
	{"få outlook for ", "", NEED_NOTHING},
	{"skaff deg outlook for ", "", NEED_NOTHING},
	{"lähetetty ", "", NEED_DEVICE},
	{"hanki outlook ", "", NEED_NOTHING},
	{"wysłano z ", "", NEED_DEVICE},
	{"wysłane z ", "", NEED_DEVICE},
	{"wysłano za ", "", NEED_DEVICE},
	{"pobierz outlook dla ", "", NEED_NOTHING},
	{"pobierz program outlook ", "", NEED_NOTHING},
	{"odesláno z", "", NEED_DEVICE},
	{"odesláno pomocí ", "", NEED_DEVICE},
	{"získat outlook pro ", "", NEED_NOTHING},
	{"odoslané z", "", NEED_DEVICE},
	{"poslano z", "", NEED_DEVICE},
	{"poslano s", "", NEED_DEVICE},
	{"Отправлено ", "", NEED_DEVICE},
	{"Послано ", "", NEED_DEVICE},
	{"Скачать outlook для ", "", NEED_NOTHING},
	{"Получить outlook для ", "", NEED_NOTHING},
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
};

static const char *const devices[] = {
	"iphon",     "ipad",     "ipod",       "apple watch", "android",     "blackberry",
	"samsung",   "galaxy",   "huawei",     "xiaomi",      "redmi",       "nokia",
	"htc",       "lumia",    "xperia",     "pixel",       "oneplus",     "motorola",
	"windows",   "mobil",    "móvil",      "movil",       "phone",       "tablet",
	"handy",     "handheld", "cell",       "device",      "outlook",     "gmail",
	"yahoo",     "mailbox",  "mail",       "k-9",         "spark",       "proton",
	"tutanota",  "gmx",      "web.de",     "t-online",    "telekom",     "t-mobile",
	"verizon",   "at&t",     "vodafone",   "superhuman",  "thunderbird", "mac",
	"macbook",   "telefon",  "teléfono",   "téléphone",   "telefone",    "telefoon",
	"cellulare", "celular",  "smartphone", "телефон",     "手机",        "手機",
	"携帯",      "스마트폰", "모바일",     "κινητό",      "puhelime",    "komórk",
	"gsm",       "hey",      "front",      "newton",      "posteo",      "fastmail",
	"zoho",      "laptop",   "chromebook", "surface",     "honor",       "oppo",
	"vivo",      "realme",   "swipe",
};

static bool has_device(const char *text, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
		if (memmem(text, size, devices[i], strlen(devices[i])) != NULL)
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
 * for iOS](https://aka.ms/o0ukef)" read like the rest. */
static void simplify(char *text)
{
	char *out = text;

	for (char *p = text; *p != '\0';) {
		if (*p == 'h' &&
		    (g_str_has_prefix(p, "http://") || g_str_has_prefix(p, "https://"))) {
			p += strcspn(p, " )>]");
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
}

static bool is_needed_there(const char *text, enum need need)
{
	size_t size = strcspn(text, ",.;!?");

	/* "Sent from WEB.DE" has a full stop, too. */
	while (text[size] == '.' && g_ascii_isalnum(text[size + 1]))
		size += 1 + strcspn(text + size + 1, ",.;!?");
	if (need == NEED_NOTHING || has_device(text, size))
		return true;
	return need == NEED_DEVICE_OR_SHORT && text[size] == '\0' &&
	       count_words(text) <= SHORT_WORDS_MAX;
}

/* Most of them differ in the first byte, or in the last one. */
static bool fits(const struct footer *footer, const char *text, size_t size)
{
	if (*footer->begin != '\0' && *footer->begin != *text)
		return false;
	size_t begin = strlen(footer->begin);
	size_t end = strlen(footer->end);

	if (size < MAX(begin, end) || (end > 0 && footer->end[end - 1] != text[size - 1]))
		return false;
	return strncmp(text, footer->begin, begin) == 0 &&
	       strcmp(text + size - end, footer->end) == 0 &&
	       is_needed_there(text + begin, footer->need);
}

bool reply_is_footer(const char *line, size_t size)
{
	char buffer[LINE_MAX_BYTES];

	if (size >= sizeof(buffer) - 2)
		return false;
	reply_fold(line, size, buffer, sizeof(buffer));
	simplify(buffer);
	const char *text = buffer + strspn(buffer, " -~:.");

	size_t size_of_text = strlen(text);

	if (size_of_text == 0 || count_words(text) > WORDS_MAX)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(footers); i++)
		if (fits(&footers[i], text, size_of_text))
			return true;
	return false;
}
