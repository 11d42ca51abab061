#include "mailin/parse/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <glib.h>

enum match {
	PRESENT,       /* the field is there and not empty */
	IS,            /* its first word is the value */
	IS_NOT,        /* its first word is another one than the value */
	REPLY_SUBJECT, /* it is there, and the subject is one of a vacation notice */
};

/* The first rule that fits wins: a vacation notice to a list is a reply, a list's post is no bulk
 * mail. */
static const struct rule {
	const char *header;
	enum match match;
	const char *value;
	const char *kind;
} rules[] = {
	/* Exim's and qmail's bounces have no multipart/report; a forwarded one has lost its null
	   sender. */
	{"X-Failed-Recipients", PRESENT, NULL, "bounce"},
	/* RFC 3834, 5; "auto-notified" is RFC 5436, 2.7.1. */
	{"Auto-Submitted", IS, "auto-replied", "replied"},
	{"X-Autoreply", IS_NOT, "no", "replied"},
	{"X-Autorespond", IS_NOT, "no", "replied"},
	{"X-AutoReply-From", PRESENT, NULL, "replied"},
	{"X-Autoresponder", PRESENT, NULL, "replied"},
	{"X-Mail-Autoreply", PRESENT, NULL, "replied"},
	{"X-Auto-Reply", IS_NOT, "no", "replied"},
	{"Precedence", IS, "auto_reply", "replied"},
	{"X-Precedence", IS, "auto_reply", "replied"},
	{"Delivered-To", IS, "autoresponder", "replied"},
	/* [MS-OXCMAIL] 2.1.3.2.14: Exchange puts it on much that is no reply. */
	{"X-Auto-Response-Suppress", REPLY_SUBJECT, NULL, "replied"},
	{"Auto-Submitted", IS_NOT, "no", "generated"},
	/* RFC 2919, RFC 2369, and the lists that are older than these. */
	{"List-Id", PRESENT, NULL, "list"},
	{"List-Post", PRESENT, NULL, "list"},
	{"List-Unsubscribe", PRESENT, NULL, "list"},
	{"List-Help", PRESENT, NULL, "list"},
	{"Mailing-List", PRESENT, NULL, "list"},
	{"X-Mailing-List", PRESENT, NULL, "list"},
	{"X-Mailman-Version", PRESENT, NULL, "list"},
	{"Precedence", IS, "list", "list"},
	/* RFC 2076, 3.9. */
	{"Precedence", IS, "bulk", "bulk"},
	{"Precedence", IS, "junk", "bulk"},
	{"X-Precedence", IS, "bulk", "bulk"},
	{"X-Precedence", IS, "junk", "bulk"},
};

/* How vacation notices of Exchange, Gmail and their kin begin. */
static const char *const reply_subjects[] = {
	"Auto:",
	"Auto-Reply",
	"Autoreply",
	"Automatic reply",
	"Auto response",
	"Autoresponse",
	"Out of Office",
	"Out of the office",
	"Automatische Antwort",
	"Abwesenheitsnotiz",
	"Abwesenheit",
	"Réponse automatique",
	"Absence du bureau",
	"Respuesta automática",
	"Fuera de la oficina",
	"Risposta automatica",
	"Fuori sede",
	"Resposta automática",
	"Automatisch antwoord",
	"Automatisch bericht",
	"Autosvar",
	"Automatisk svar",
	"Automatiskt svar",
	"Automaattinen vastaus",
	"Odpowiedź automatyczna",
	"Automatická odpověď",
	"Automatikus válasz",
	"Otomatik yanıt",
	"Автоматический ответ",
	"Автовідповідь",
	"自動応答",
	"自动答复",
	"自動回覆",
	"자동 회신",
};

static bool is_reply_subject(const char *subject)
{
	if (subject == NULL)
		return false;
	g_autofree char *folded = g_utf8_casefold(subject, -1);
	for (size_t i = 0; i < G_N_ELEMENTS(reply_subjects); i++) {
		g_autofree char *start = g_utf8_casefold(reply_subjects[i], -1);

		if (g_str_has_prefix(folded, start))
			return true;
	}
	return false;
}

/* Compare up to the first parameter or comment: "auto-replied; owner-email=x", "bulk (sic)". */
static bool first_word_is(const char *value, const char *word)
{
	size_t size = strcspn(value, " \t\r\n;,(");

	return size == strlen(word) && g_ascii_strncasecmp(value, word, size) == 0;
}

static bool fits(const struct rule *rule, auto_header header, void *context)
{
	const char *value = header(rule->header, context);

	if (value == NULL)
		return false;
	value += strspn(value, " \t\r\n");
	if (*value == '\0')
		return false;
	switch (rule->match) {
	case PRESENT:
		return true;
	case IS:
		return first_word_is(value, rule->value);
	case IS_NOT:
		return !first_word_is(value, rule->value);
	case REPLY_SUBJECT:
		return is_reply_subject(header("Subject", context));
	}
	return false;
}

const char *auto_kind(const char *sender, const char *content_type, auto_header header,
		      void *context)
{
	if (sender != NULL && (*sender == '\0' || strcmp(sender, "<>") == 0))
		return "bounce";
	if (content_type != NULL && g_ascii_strcasecmp(content_type, "multipart/report") == 0)
		return "bounce";
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
		if (fits(&rules[i], header, context))
			return rules[i].kind;
	return "no";
}
