#include "mailin/parse/address.h"

#include <gmime/gmime.h>

#include "mailin/parse/encoded_word.h"

struct collector {
	struct wire *array;
	int64_t max;
	struct defects *defects;
};

struct wire *address_object(const char *email, const char *name)
{
	struct wire *object = wire_object();
	const char *at = email == NULL ? NULL : strrchr(email, '@');
	const char *plus = at == NULL ? NULL : memchr(email, '+', (size_t)(at - email));

	wire_set_text(object, "Email", email == NULL ? "" : email);
	wire_set_text(object, "Name", name == NULL ? "" : name);
	if (plus == NULL)
		wire_set_text(object, "MailboxHash", "");
	else
		wire_set_textn(object, "MailboxHash", plus + 1, (size_t)(at - plus - 1));
	return object;
}

/* Where the scan of an address field stands: within what a special character is none. */
struct context {
	bool quoted;
	int comment;
	bool literal;
	bool group;
};

static bool is_special(struct context *c, char ch)
{
	if (c->quoted) {
		c->quoted = ch != '"';
		return false;
	}
	if (c->comment > 0) {
		c->comment += ch == '(' ? 1 : ch == ')' ? -1 : 0;
		return false;
	}
	if (c->literal) {
		c->literal = ch != ']';
		return false;
	}
	c->quoted = ch == '"';
	c->comment = ch == '(';
	c->literal = ch == '[';
	return true;
}

/* RFC 5322 has no groups within groups: there a colon becomes a blank.  GMime would recurse, as deep as there
 * are colons. */
static void flatten_groups(char *text, struct defects *defects)
{
	struct context c = { 0 };

	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0' && (c.quoted || c.comment > 0)) {
			p++;
			continue;
		}
		if (!is_special(&c, *p))
			continue;
		if (*p == ';') {
			c.group = false;
		} else if (*p == ':' && c.group) {
			*p = ' ';
			defect_note(defects, DEFECT_GROUP_NESTED);
		} else if (*p == ':') {
			c.group = true;
		}
	}
}

static char *clean_name(const char *name)
{
	char *clean = g_strdup(name == NULL ? "" : name);
	for (char *p = clean; *p != '\0'; p++)
		if (g_ascii_iscntrl(*p))
			*p = ' ';
	return g_strstrip(clean);
}

static void collect(struct collector *c, InternetAddressList *list)
{
	for (int i = 0; i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		if (INTERNET_ADDRESS_IS_GROUP(address)) {
			collect(c, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)));
			continue;
		}
		if ((int64_t)wire_length(c->array) >= c->max) {
			defect_note(c->defects, DEFECT_ADDRESSES_MANY);
			return;
		}
		const char *email = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		g_autofree char *name = clean_name(internet_address_get_name(address));
		if (email == NULL || strchr(email, '@') == NULL)
			defect_note(c->defects, DEFECT_ADDRESS);
		wire_append(c->array, address_object(email, name));
	}
}

static bool has_mailbox(InternetAddressList *list)
{
	for (int i = 0; list != NULL && i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		if (INTERNET_ADDRESS_IS_GROUP(address))
			return true;
		const char *email = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		if (email != NULL && strchr(email, '@') != NULL)
			return true;
	}
	return false;
}

static InternetAddressList *parse(char *text, struct defects *defects)
{
	flatten_groups(text, defects);
	return internet_address_list_parse(NULL, text);
}

void address_list(struct span value, const char *hint, int64_t max, struct wire *array,
		  struct defects *defects)
{
	struct collector collector = { .array = array, .max = max, .defects = defects };
	g_autofree char *recoded = encoded_word_recode(value, hint, defects);
	InternetAddressList *list = parse(recoded, defects);

	/* Some senders encode the whole field, address and all. */
	if (!has_mailbox(list) && strstr(recoded, "=?") != NULL) {
		g_autofree char *decoded = encoded_word_decode(value, hint, defects);
		InternetAddressList *second = parse(decoded, defects);
		if (has_mailbox(second)) {
			g_clear_object(&list);
			list = second;
		} else {
			g_clear_object(&second);
		}
	}
	if (list == NULL) {
		if (span_trim(value).size > 0)
			defect_note(defects, DEFECT_ADDRESS);
		return;
	}
	collect(&collector, list);
	g_object_unref(list);
}
