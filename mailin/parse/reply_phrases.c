#include "mailin/parse/reply_words.h"

#include <string.h>

#include <glib.h>

static const struct reply_phrase phrases[] = {
	{"en", "original message", false},
	{"en", "original mail", false},
	{"en", "original email", false},
	{"en", "original e-mail", false},
	{"en", "reply message", false},
	{"en", "replied message", false},
	{"en", "original appointment", false},
	{"en", "original -", false},
	{"en", "forwarded message", true},
	{"en", "forwarded by", true},
	{"en", "forwarded email", true},
	{"en", "begin forwarded message", true},
	{"en", "forwarded mail", true},
	{"de", "ursprüngliche nachricht", false},
	{"de", "ursprüngliche mail", false},
	{"de", "originalnachricht", false},
	{"de", "original-nachricht", false},
	{"de", "original nachricht", false},
	{"de", "originalmail", false},
	{"de", "antwort nachricht", false},
	{"de", "ursprünglicher termin", false},
	{"de", "weitergeleitete nachricht", true},
	{"de", "weitergeleitete mail", true},
	{"de", "weitergeleitet von", true},
	{"de", "anfang der weitergeleiteten", true},
	{"fr", "message d'origine", false},
	{"fr", "message d’origine", false},
	{"fr", "message original", false},
	{"fr", "mail original", false},
	{"fr", "courriel original", false},
	{"fr", "e-mail d'origine", false},
	{"fr", "e-mail d’origine", false},
	{"fr", "message transféré", true},
	{"fr", "message transmis", true},
	{"fr", "mail transféré", true},
	{"fr", "début du message", true},
	{"es", "mensaje original", false},
	{"es", "correo original", false},
	{"es", "mensaje reenviado", true},
	{"es", "inicio del mensaje reenviado", true},
	{"it", "messaggio originale", false},
	{"it", "messaggio inoltrato", true},
	{"it", "inizio messaggio inoltrato", true},
	{"it", "inizio del messaggio inoltrato", true},
	{"pt", "mensagem original", false},
	{"pt", "mensagem encaminhada", true},
	{"pt", "mensagem reencaminhada", true},
	{"pt", "início da mensagem", true},
	{"ca", "missatge original", false},
	{"nl", "oorspronkelijk bericht", false},
	{"nl", "origineel bericht", false},
	{"nl", "oorspronkelijke bericht", false},
	{"nl", "doorgestuurd bericht", true},
	{"nl", "begin doorgestuurd bericht", true},
	{"sv", "ursprungligt meddelande", false},
	{"sv", "originalmeddelande", false},
	{"sv", "vidarebefordrat meddelande", true},
	{"sv", "vidarebefordrat brev", true},
	{"sv", "vidarebefordrat mail", true},
	{"da", "oprindelig meddelelse", false},
	{"da", "original meddelelse", false},
	{"da", "oprindelig besked", false},
	{"da", "videresendt meddelelse", true},
	{"da", "videresendt besked", true},
	{"da", "start på videresendt", true},
	{"no", "opprinnelig melding", false},
	{"no", "original melding", false},
	{"no", "opprinnelig e-post", false},
	{"no", "videresendt melding", true},
	{"no", "videresendt e-post", true},
	{"no", "begynnelse på videresendt", true},
	{"fi", "alkuperäinen viesti", false},
	{"fi", "välitetty viesti", true},
	{"fi", "edelleenlähetetty viesti", true},
	{"pl", "wiadomość oryginalna", false},
	{"pl", "oryginalna wiadomość", false},
	{"pl", "pierwotna wiadomość", false},
	{"pl", "przekazana wiadomość", true},
	{"pl", "wiadomość przekazana", true},
	{"pl", "treść przekazanej wiadomości", true},
	{"pl", "początek przekazywanej wiadomości", true},
	{"cs", "původní zpráva", false},
	{"cs", "původní e-mail", false},
	{"cs", "přeposlaná zpráva", true},
	{"cs", "začátek přeposílané zprávy", true},
	{"sk", "pôvodná správa", false},
	{"sk", "preposlaná správa", true},
	{"sl", "izvirno sporočilo", false},
	{"hr", "izvorna poruka", false},
	{"hr", "originalna poruka", false},
	{"hr", "proslijeđena poruka", true},
	{"ru", "Исходное сообщение", false},
	{"ru", "Исходное письмо", false},
	{"ru", "Оригинальное сообщение", false},
	{"ru", "Пересылаемое сообщение", true},
	{"ru", "Пересланное сообщение", true},
	{"ru", "Перенаправленное сообщение", true},
	{"ru", "Начало переадресованного сообщения", true},
	{"uk", "Вихідне повідомлення", false},
	{"uk", "Початкове повідомлення", false},
	{"uk", "Оригінальне повідомлення", false},
	{"uk", "Переслане повідомлення", true},
	{"bg", "Оригинално съобщение", false},
	{"bg", "Препратено съобщение", true},
	{"ro", "mesaj original", false},
	{"ro", "mesaj redirecționat", true},
	{"hu", "eredeti üzenet", false},
	{"hu", "eredeti levél", false},
	{"hu", "továbbított üzenet", true},
	{"hu", "továbbított levél", true},
	{"el", "Αρχικό μήνυμα", false},
	{"el", "Προωθημένο μήνυμα", true},
	{"tr", "özgün İleti", false},
	{"tr", "Özgün İleti", false},
	{"tr", "Özgün ileti", false},
	{"tr", "orijinal ileti", false},
	{"tr", "orijinal mesaj", false},
	{"tr", "iletilen mesaj", true},
	{"tr", "yönlendirilmiş ileti", true},
	{"tr", "Yönlendirilmiş mesaj", true},
	{"tr", "İletilmiş mesaj", true},
	{"tr", "İletilen ileti", true},
	{"ja", "元のメッセージ", false},
	{"ja", "元のメール", false},
	{"ja", "オリジナルメッセージ", false},
	{"ja", "転送されたメッセージ", true},
	{"ja", "転送メッセージ", true},
	{"zh", "原始邮件", false},
	{"zh", "原始消息", false},
	{"zh", "原邮件", false},
	{"zh", "回复的原邮件", false},
	{"zh", "原始郵件", false},
	{"zh", "原始訊息", false},
	{"zh", "转发邮件", true},
	{"zh", "转发的邮件", true},
	{"zh", "转发邮件信息", true},
	{"zh", "下面是被转发的邮件", true},
	{"zh", "开始转发的邮件", true},
	{"zh", "轉寄郵件", true},
	{"zh", "轉寄的郵件", true},
	{"zh", "開始轉寄郵件", true},
	{"ko", "원본 메시지", false},
	{"ko", "원본 메일", false},
	{"ko", "원본메시지", false},
	{"ko", "받은 메일 내용", false},
	{"ko", "전달된 메시지", true},
	{"ko", "전달 메시지", true},
	{"ko", "전달된 메일", true},
	{"vi", "thư gốc", false},
	{"vi", "tin nhắn gốc", false},
	{"vi", "thư đã chuyển tiếp", true},
	{"id", "pesan asli", false},
	{"id", "pesan terusan", true},
	{"th", "ข้อความเดิม", false},
	{"th", "ข้อความต้นฉบับ", false},
	{"th", "ข้อความที่ส่งต่อ", true},
	{"he", "הודעה מקורית", false},
	{"he", "הודעה שהועברה", true},
	{"ar", "الرسالة الأصلية", false},
	{"ar", "رسالة معاد توجيهها", true},
};

static const char *const above_lines[] = {
	"reply above this line", "reply above this message", "your reply above",
	"write above this line", "type above this line",     "above the line to reply",
	"oberhalb dieser linie", "oberhalb dieser zeile",    "über dieser linie",
	"über dieser zeile",     "au-dessus de cette ligne", "encima de esta línea",
	"arriba de esta línea",  "sopra questa riga",        "sopra questa linea",
	"acima desta linha",     "boven deze lijn",          "boven deze regel",
	"ovanför den här raden", "over denne linje",         "tämän rivin yläpuolelle",
	"powyżej tej linii",     "nad tento řádek",
};

/* Said of what follows; words that may as well be said of anything else are not here. */
static const char *const inline_words[] = {
	"answers inline",
	"answer inline",
	"answered inline",
	"comments inline",
	"comment inline",
	"replies inline",
	"reply inline",
	"replied inline",
	"responses inline",
	"response inline",
	"see inline",
	"inline below",
	"inline comments",
	"inline answers",
	"inline replies",
	"inline responses",
	"in-line",
	"answers below",
	"answers are below",
	"comments below",
	"comments are below",
	"replies below",
	"responses below",
	"see my answers",
	"see my comments",
	"see my replies",
	"see my responses",
	"between the lines",
	"in red",
	"in blue",
	"in green",
	"in bold",
	"im text",
	"in rot",
	"in blau",
	"in grün",
	"in fett",
	"zwischen den zeilen",
	"antworten unten",
	"antworten siehe unten",
	"kommentare unten",
	"en rouge",
	"en bleu",
	"en vert",
	"dans le texte",
	"réponses ci-dessous",
	"commentaires ci-dessous",
	"entre les lignes",
	"en rojo",
	"en azul",
	"en verde",
	"respuestas abajo",
	"comentarios abajo",
	"entre líneas",
	"in rosso",
	"in blu",
	"risposte sotto",
	"nel testo",
	"risposte di seguito",
	"em vermelho",
	"em azul",
	"respostas abaixo",
	"comentários abaixo",
	"in het rood",
	"in het blauw",
	"antwoorden hieronder",
	"tussen de regels",
	"i rött",
	"i blått",
	"svar nedan",
	"kommentarer nedan",
	"i rødt",
	"svar nedenfor",
	"kommentarer nedenfor",
	"punaisella",
	"tekstin seassa",
	"na czerwono",
	"odpowiedzi poniżej",
	"w tekście",
	"červeně",
	"v textu",
	"красным",
	"по тексту",
	"ответы ниже",
	"червоним",
	"pirossal",
	"kırmızı",
	"赤字",
	"青字",
	"インライン",
	"红字",
	"紅字",
	"红色",
	"빨간색",
};

const struct reply_phrase *reply_phrase_find(const char *text)
{
	for (size_t i = 0; i < G_N_ELEMENTS(phrases); i++)
		if (*phrases[i].words == *text && g_str_has_prefix(text, phrases[i].words))
			return &phrases[i];
	return NULL;
}

/* "in red", not "in reduced". */
static bool has_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word))
		if ((p == text || !g_ascii_isalnum(p[-1])) && !g_ascii_isalnum(p[size]))
			return true;
	return false;
}

static bool has_any(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_word(text, words[i]))
			return true;
	return false;
}

bool reply_asks_to_write_above(const char *text)
{
	return has_any(text, above_lines, G_N_ELEMENTS(above_lines));
}

bool reply_announces_inline(const char *text)
{
	return has_any(text, inline_words, G_N_ELEMENTS(inline_words));
}

/* ---- subjects ---- */

/* "[EXTERNAL] Fwd: Hello", and not "[Fwd: Hello]". */
static const char *skip_tags(const char *subject)
{
	for (;;) {
		subject += strspn(subject, " ");
		size_t size = strcspn(subject, "]:");

		if (*subject != '[' || subject[size] != ']')
			return subject;
		subject += size + 1;
	}
}

enum reply_forward reply_subject_forwards(const char *subject)
{
	static const char *const prefixes[] = {
		"fw",     "fwd",  "wg",   "tr",   "trs",  "rv",     "enc", "i",
		"vb",     "vl",   "pd",   "tov",  "ilt",  "İlt",    "πρθ", "ΠΡΘ",
		"doorst", "转发", "轉寄", "転送", "전달", "Пересл",
	};

	subject = skip_tags(subject);
	while (*subject == ' ' || *subject == '[' || *subject == '(')
		subject++;
	size_t size = strcspn(subject, ":[( ");
	const char *behind = subject + size;

	/* "Fwd[2]: ..." */
	behind += strspn(behind, "[(0123456789)] ");
	if (*behind != ':' && strstr(subject, "：") == NULL)
		return FORWARD_NO;
	if (*behind != ':')
		size = (size_t)(strstr(subject, "：") - subject);
	if (size == strlen("vs") && g_ascii_strncasecmp(subject, "vs", size) == 0)
		return FORWARD_UNLESS_FINNISH;
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (strlen(prefixes[i]) == size &&
		    g_ascii_strncasecmp(subject, prefixes[i], size) == 0)
			return FORWARD_YES;
	return FORWARD_NO;
}
