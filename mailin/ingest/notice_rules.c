#include "mailin/ingest/notice_rules.h"

#include <glib.h>
#include <string.h>

#include "common/authres.h"
#include "common/domain.h"
#include "common/route.h"
#include "common/verdict.h"

/* RFC 5321, 4.5.3.1. */
enum { LOCAL_MAX = 64, DOMAIN_MAX = 253, LABEL_MAX = 63 };

struct notice_rules {
	const struct config *config;
	struct route_set *senders; /* what this installation sends from */
};

/* ---- our own addresses ---- */

/* "Name <user@example.com>" or "user@example.com". */
static char *bare_address(const char *from)
{
	const char *start = strrchr(from, '<');
	const char *end = start != NULL ? strchr(start, '>') : NULL;

	return end != NULL ? g_strstrip(g_strndup(start + 1, (gsize)(end - start - 1)))
			   : g_strstrip(g_strdup(from));
}

/* A pattern takes tags and letter case into account; one that is no address is left out, mailout
 * refuses it. */
static void add_sender(struct notice_rules *rules, const char *from)
{
	g_autofree char *address = bare_address(from);

	if (*address != '\0' && route_pattern_kind(address) == ROUTE_EXACT)
		(void)route_add(rules->senders, 0, address, NULL);
}

struct notice_rules *notice_rules_new(const struct config *config)
{
	struct notice_rules *rules = g_new0(struct notice_rules, 1);

	rules->config = config;
	rules->senders = route_set_new(config->recipient_delimiter);
	add_sender(rules, config->notify_from);
	add_sender(rules, config->mailout_from);
	add_sender(rules, config->mailout_envelope_sender);
	return rules;
}

void notice_rules_free(struct notice_rules **rules)
{
	if (*rules == NULL)
		return;
	route_set_free(&(*rules)->senders);
	g_free(*rules);
	*rules = NULL;
}

static bool is_own(const struct notice_rules *rules, const char *sender)
{
	return config_route(rules->config, sender) != NULL ||
	       route_match(rules->senders, sender) >= 0;
}

/* ---- automatic mail ---- */

enum match { IS, STARTS, ENDS };

/* Local parts of programs: RFC 3834, 2, and what vacation(1) leaves out. */
static const struct {
	enum match match;
	const char *text;
} program_names[] = {
	{IS, "mailer-daemon"}, {IS, "mailer_daemon"}, {IS, "listserv"},    {IS, "majordomo"},
	{IS, "noreply"},       {IS, "no-reply"},      {IS, "no_reply"},    {IS, "donotreply"},
	{IS, "do-not-reply"},  {IS, "bounce"},        {IS, "bounces"},     {STARTS, "owner-"},
	{STARTS, "bounce-"},   {STARTS, "bounces-"},  {STARTS, "bounce+"}, {STARTS, "bounces+"},
	{STARTS, "noreply+"},  {STARTS, "no-reply+"}, {ENDS, "-owner"},    {ENDS, "-request"},
	{ENDS, "-bounce"},     {ENDS, "-bounces"},    {ENDS, "-noreply"},
};

static bool is_program(const char *sender)
{
	g_autofree char *local = g_ascii_strdown(sender, (gssize)strcspn(sender, "@"));

	for (size_t i = 0; i < G_N_ELEMENTS(program_names); i++) {
		const char *text = program_names[i].text;

		switch (program_names[i].match) {
		case IS:
			if (strcmp(local, text) == 0)
				return true;
			break;
		case STARTS:
			if (g_str_has_prefix(local, text))
				return true;
			break;
		case ENDS:
			if (g_str_has_suffix(local, text))
				return true;
			break;
		}
	}
	return false;
}

/* Up to a parameter, comment or further value. */
static bool first_word_is(const char *value, const char *word)
{
	value += strspn(value, " \t\r\n");
	size_t size = strcspn(value, " \t\r\n;,(");

	return size == strlen(word) && g_ascii_strncasecmp(value, word, size) == 0;
}

/* [MS-OXCMAIL] 2.1.3.2.14: whoever wants no non-delivery reports. */
static bool suppresses_reports(const char *value)
{
	g_auto(GStrv) words = g_strsplit_set(value, " \t\r\n,", -1);

	for (size_t i = 0; words[i] != NULL; i++)
		if (g_ascii_strcasecmp(words[i], "All") == 0 ||
		    g_ascii_strcasecmp(words[i], "NDR") == 0)
			return true;
	return false;
}

/* Mailpipe.Auto should have said it; but any application may have made the document. */
static bool is_automatic_header(const char *name, const char *value)
{
	static const char list[] = "List-"; /* RFC 2369, RFC 2919 */
	static const char *const precedences[] = {"bulk", "list", "junk", "auto_reply"};

	if (g_ascii_strncasecmp(name, list, strlen(list)) == 0)
		return true;
	if (g_ascii_strcasecmp(name, "Auto-Submitted") == 0)
		return !first_word_is(value, "no");
	if (g_ascii_strcasecmp(name, "X-Auto-Response-Suppress") == 0)
		return suppresses_reports(value);
	if (g_ascii_strcasecmp(name, "Precedence") != 0)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(precedences); i++)
		if (first_word_is(value, precedences[i]))
			return true;
	return false;
}

static bool is_automatic(const struct notice_mail *mail)
{
	if (mail->automatic != NULL && strcmp(mail->automatic, "no") != 0)
		return true;
	for (size_t i = 0; i < wire_length(mail->headers); i++) {
		const struct wire *header = wire_at(mail->headers, i);
		const char *name = wire_get_text(header, "Name");
		const char *value = wire_get_text(header, "Value");

		if (name != NULL && is_automatic_header(name, value != NULL ? value : ""))
			return true;
	}
	return is_program(mail->sender);
}

/* ---- whether the sender is who it says ---- */

/* The text of a header field of that name, or NULL. */
static const char *field_text(const struct notice_mail *mail, size_t i, const char *wanted)
{
	const struct wire *header = wire_at(mail->headers, i);
	const char *name = wire_get_text(header, "Name");

	return name != NULL && g_ascii_strcasecmp(name, wanted) == 0
		       ? wire_get_text(header, "Value")
		       : NULL;
}

static bool is_misled(const struct notice_mail *mail)
{
	for (size_t i = 0; i < wire_length(mail->headers); i++) {
		const char *signature = field_text(mail, i, "DKIM-Signature");

		if (signature != NULL && authres_misled_by(signature, strlen(signature)))
			return true;
	}
	return false;
}

static bool is_sender_from(const struct notice_mail *mail)
{
	g_autofree char *sender = domain_address(mail->sender);
	g_autofree char *from = domain_address(mail->from);

	return sender != NULL && from != NULL && strcmp(sender, from) == 0;
}

static bool field_establishes(const struct config *config, const char *value, const char *domain,
			      bool is_from)
{
	struct authres *authres = authres_parse(value);
	bool yes = authres != NULL &&
		   verdict_believes(config->authserv_ids, authres->authserv_id) != NULL &&
		   authres_establishes(authres, domain, is_from);

	authres_free(&authres);
	return yes;
}

/* Those that mailin-parse believes; it reads what they say of From, here the envelope counts. */
static bool is_established(const struct config *config, const struct notice_mail *mail)
{
	const char *at = strrchr(mail->sender, '@');
	g_autofree char *domain = at != NULL ? domain_ascii(at + 1, NULL) : NULL;
	bool is_from = is_sender_from(mail);
	int64_t received = 0;

	if (*mail->sasl_username != '\0')
		return true;
	if (domain == NULL || config->authserv_ids[0] == NULL || is_misled(mail))
		return false;
	for (size_t i = 0; i < wire_length(mail->headers); i++) {
		const char *value = field_text(mail, i, "Authentication-Results");

		received += field_text(mail, i, "Received") != NULL;
		if (received >= config->authserv_hops)
			return false;
		if (value != NULL && field_establishes(config, value, domain, is_from))
			return true;
	}
	return false;
}

bool notice_rules_is_established(const struct notice_rules *rules, const struct notice_mail *mail)
{
	return is_established(rules->config, mail);
}

/* ---- what mailout sends to ---- */

/* RFC 5322, 3.2.3: dot-atom. */
static bool is_local_part(const char *local, size_t size)
{
	bool within = false;

	if (size > LOCAL_MAX)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (local[i] == '.' ? !within
				    : !g_ascii_isalnum(local[i]) &&
					      strchr("!#$%&'*+-/=?^_`{|}~", local[i]) == NULL)
			return false;
		within = local[i] != '.';
	}
	return within;
}

bool notice_rules_is_domain(const char *domain)
{
	g_autofree char *ascii =
		g_utf8_validate(domain, -1, NULL) ? domain_ascii(domain, NULL) : NULL;

	if (ascii == NULL || *ascii == '\0' || strlen(ascii) > DOMAIN_MAX)
		return false;
	g_auto(GStrv) labels = g_strsplit(ascii, ".", -1);

	for (size_t i = 0; labels[i] != NULL; i++) {
		size_t size = strlen(labels[i]);

		for (size_t k = 0; k < size; k++)
			if (!g_ascii_isalnum(labels[i][k]) && labels[i][k] != '-')
				return false;
		if (size == 0 || size > LABEL_MAX || labels[i][0] == '-' ||
		    labels[i][size - 1] == '-')
			return false;
	}
	return true;
}

/* A quoted local part is left out, too: no poster has one. */
static bool is_mailable(const char *sender)
{
	const char *at = strrchr(sender, '@');

	return at != NULL && is_local_part(sender, (size_t)(at - sender)) &&
	       notice_rules_is_domain(at + 1);
}

const char *notice_rules_refuse(const struct notice_rules *rules, const struct notice_mail *mail)
{
	if (*mail->sender == '\0' || strcmp(mail->sender, "<>") == 0)
		return "null-sender";
	if (is_automatic(mail))
		return "automatic";
	if (is_own(rules, mail->sender))
		return "own";
	if (rules->config->notify_require_auth && !is_established(rules->config, mail))
		return "unverified";
	return is_mailable(mail->sender) ? NULL : "address";
}
