#include "mailout/request_check.h"

#include <gmime/gmime.h>
#include <string.h>

#include "common/domain.h"

/* RFC 5321, 4.5.3.1. */
enum {
	LOCAL_MAX = 64,
	DOMAIN_MAX = 253,
	LABEL_MAX = 63,
	EMAIL_MAX = 254,
	NAME_MAX_BYTES = 500,
	THREAD_MAX = 100,
	MAILBOX_MAX = 2000, /* of one mailbox as written, name and comments included */
};

void address_clear(struct address *address)
{
	g_clear_pointer(&address->email, g_free);
	g_clear_pointer(&address->name, g_free);
}

void address_list_clear(struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		address_clear(&list->item[i]);
	g_free(list->item);
	*list = (struct address_list){0};
}

/* ---- one address ---- */

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/* RFC 5322, 3.2.3. */
static bool is_atom_character(char c)
{
	return g_ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(const char *text)
{
	bool within = false;

	for (; *text != '\0'; text++) {
		if (*text == '.' ? !within : !is_atom_character(*text))
			return false;
		within = *text != '.';
	}
	return within;
}

/* RFC 5321, 4.1.2: blanks and printable characters, escaped where they must be. */
static bool is_quoted_string(const char *text)
{
	size_t size = strlen(text);

	if (size < 2 || text[0] != '"' || text[size - 1] != '"')
		return false;
	for (size_t i = 1; i < size - 1; i++) {
		if (text[i] == '"' || !g_ascii_isprint(text[i]))
			return false;
		if (text[i] == '\\' && ++i == size - 1)
			return false;
	}
	return true;
}

/* Letters, digits, hyphens (RFC 5321, 2.3.5). */
static bool is_domain(const char *domain)
{
	size_t label = 0;

	if (strlen(domain) > DOMAIN_MAX)
		return false;
	for (const char *p = domain;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > LABEL_MAX || p[-1] == '-' ||
			    p[-(ptrdiff_t)label] == '-')
				return false;
			if (*p == '\0')
				return true;
			label = 0;
		} else if (g_ascii_isalnum(*p) || *p == '-') {
			label++;
		} else {
			return false;
		}
	}
}

/* The domain in A-labels, g_free() it; NULL after a failure. */
static char *ascii_domain(struct check *check, const char *path, const char *domain)
{
	const char *error = NULL;
	g_autofree char *ascii = is_ascii(domain) ? g_strdup(domain) : domain_ascii(domain, &error);

	if (ascii == NULL) {
		check_fail(check, path, "no domain (%s): \"%s\"", error, domain);
		return NULL;
	}
	if (!is_domain(ascii)) {
		check_fail(check, path, "no domain: \"%s\"", domain);
		return NULL;
	}
	return g_steal_pointer(&ascii);
}

static bool is_local_part(struct check *check, const char *path, const char *local)
{
	if (!is_ascii(local)) {
		check_fail_as(check, "5.6.7", path,
			      "the local part \"%s\" needs SMTPUTF8, which is not supported",
			      local);
		return false;
	}
	if (strlen(local) > LOCAL_MAX) {
		check_fail(check, path, "a local part of %zu bytes, more than %d", strlen(local),
			   LOCAL_MAX);
		return false;
	}
	return is_dot_atom(local) || is_quoted_string(local);
}

static void check_email(struct check *check, const char *path, const char *email,
			struct address *to)
{
	const char *at = strrchr(email, '@');

	if (check->failed || !check_is_line(check, path, email))
		return;
	g_autofree char *local = at != NULL ? g_strndup(email, (gsize)(at - email)) : NULL;

	if (local == NULL || !is_local_part(check, path, local)) {
		check_fail(check, path, "no address: \"%s\"", email);
		return;
	}
	g_autofree char *domain = ascii_domain(check, path, at + 1);

	if (domain == NULL)
		return;
	if (strlen(local) + 1 + strlen(domain) > EMAIL_MAX)
		check_fail(check, path, "an address longer than %d bytes", EMAIL_MAX);
	else
		to->email = g_strconcat(local, "@", domain, NULL);
}

static void check_name(struct check *check, const char *path, const char *name, struct address *to)
{
	if (check->failed || !check_is_line(check, path, name))
		return;
	if (strlen(name) > NAME_MAX_BYTES)
		check_fail(check, path, "a name of %zu bytes, more than %d", strlen(name),
			   NAME_MAX_BYTES);
	else
		to->name = g_strstrip(g_strdelimit(g_strdup(name), "\t", ' '));
}

void check_address(struct check *check, const char *path, const char *email, const char *name,
		   struct address *to)
{
	check_email(check, path, email, to);
	check_name(check, path, name, to);
}

/* ---- text: "Ann <ann@example.com>, bob@example.com" ---- */

/*
 * GMime's parser reads whatever it can and drops the rest; it recurses for a group within a group
 * and takes quadratic time for long lists of rubbish.  So the list is cut here, and each mailbox
 * must be one and nothing else.
 */
struct scan {
	bool quoted;
	int comment; /* depth */
	bool angle;  /* within <...> */
	bool closed; /* behind it */
	const char *error;
	GString *address; /* what stands where the address does, without comments */
};

static void begin_mailbox(struct scan *scan)
{
	GString *address = scan->address;

	g_string_truncate(address, 0);
	*scan = (struct scan){.address = address};
}

static void scan_angle(struct scan *scan, char c)
{
	if (scan->angle == (c == '<') || scan->closed)
		scan->error = "misplaced angle bracket";
	scan->angle = c == '<';
	scan->closed = c == '>';
	if (c == '<')
		g_string_truncate(scan->address, 0);
}

/* One character outside of comments. */
static void scan_plain(struct scan *scan, char c)
{
	if (!scan->quoted && (c == '<' || c == '>')) {
		scan_angle(scan, c);
		return;
	}
	if (!scan->quoted && (c == ':' || c == ';'))
		scan->error = "groups are not allowed, addresses are separated by commas";
	if (scan->closed && c != ' ')
		scan->error = "text behind the address";
	if (!scan->closed)
		g_string_append_c(scan->address, c);
	scan->quoted ^= c == '"';
}

/* Steps over a quoted pair.  True at a comma that ends a mailbox. */
static bool scan_character(struct scan *scan, const char **p)
{
	char c = **p;

	if (c == '\\' && (*p)[1] != '\0' && (scan->quoted || scan->comment > 0)) {
		if (scan->comment == 0)
			g_string_append_len(scan->address, *p, 2);
		++*p;
	} else if (!scan->quoted && (c == '(' || (c == ')' && scan->comment > 0))) {
		scan->comment += c == '(' ? 1 : -1;
	} else if (scan->comment > 0) {
		return false;
	} else if (c == ',' && !scan->quoted && !scan->angle) {
		return true;
	} else {
		scan_plain(scan, c);
	}
	return false;
}

/* Is this what GMime reads, too?  It shows A-labels in letters. */
static bool is_same(InternetAddressMailbox *mailbox, const char *written, const char *email)
{
	const char *read = internet_address_mailbox_get_addr(mailbox);

	if (read == NULL || strcmp(read, written) == 0)
		return read != NULL;
	const char *idn = internet_address_mailbox_get_idn_addr(mailbox);

	return idn != NULL && g_ascii_strcasecmp(idn, email) == 0;
}

/* The mailbox `text`, whose address is `email`.  GMime decodes the name. */
static void read_mailbox(struct check *check, const char *path, const char *text, const char *email,
			 struct address *to)
{
	const char *name = NULL;

	if (strlen(text) > MAILBOX_MAX) {
		check_fail(check, path, "an address of %zu bytes, more than %d", strlen(text),
			   MAILBOX_MAX);
		return;
	}
	check_email(check, path, email, to);
	if (check->failed)
		return;
	InternetAddressList *list = internet_address_list_parse(NULL, text);
	InternetAddress *only = list != NULL && internet_address_list_length(list) == 1
					? internet_address_list_get_address(list, 0)
					: NULL;

	if (only != NULL && INTERNET_ADDRESS_IS_MAILBOX(only) &&
	    is_same(INTERNET_ADDRESS_MAILBOX(only), email, to->email)) {
		name = internet_address_get_name(only);
		name = name != NULL ? name : "";
	}
	if (name == NULL || !g_utf8_validate(name, -1, NULL))
		check_fail(check, path, "no address: \"%s\"", text);
	else
		check_name(check, path, name, to);
	g_clear_object(&list);
}

typedef void mailbox_found(struct check *check, const char *path, struct address *address,
			   void *context);

static void end_mailbox(struct check *check, const char *path, const char *start, const char *end,
			struct scan *scan, mailbox_found *found, void *context)
{
	struct address address = {0};
	g_autofree char *text = g_strstrip(g_strndup(start, (gsize)(end - start)));
	g_autofree char *email = g_strstrip(g_strdup(scan->address->str));

	if (*text == '\0' && scan->error == NULL)
		return;
	if (scan->quoted || scan->comment > 0 || scan->angle)
		scan->error = "a quote, comment or bracket that is not closed";
	if (scan->error != NULL)
		check_fail(check, path, "%s: \"%s\"", scan->error, text);
	else
		read_mailbox(check, path, text, email, &address);
	if (!check->failed)
		found(check, path, &address, context);
	address_clear(&address);
}

static void read_mailboxes(struct check *check, const char *path, const char *text,
			   mailbox_found *found, void *context)
{
	g_autoptr(GString) address = g_string_new(NULL);
	struct scan scan = {.address = address};
	const char *start = text;
	const char *p;

	if (!check_is_line(check, path, text))
		return;
	for (p = text; *p != '\0' && !check->failed; p++) {
		if (!scan_character(&scan, &p))
			continue;
		end_mailbox(check, path, start, p, &scan, found, context);
		begin_mailbox(&scan);
		start = p + 1;
	}
	end_mailbox(check, path, start, p, &scan, found, context);
}

/* ---- {"Email": ..., "Name": ...} ---- */

struct mailbox_texts {
	char *email;
	char *name;
};

static void read_object(struct check *check, const char *path, const struct wire *value,
			struct address *to)
{
	static const struct check_field fields[] = {
		{"Email", check_line, offsetof(struct mailbox_texts, email), MAILBOX_MAX},
		{"Name", check_line, offsetof(struct mailbox_texts, name), NAME_MAX_BYTES},
	};
	struct mailbox_texts texts = {0};
	char email_path[CHECK_PATH_MAX];

	check_object(check, path, value, fields, G_N_ELEMENTS(fields), &texts);
	g_snprintf(email_path, sizeof(email_path), "%s.Email", path);
	if (texts.email == NULL)
		check_fail(check, email_path, "missing");
	else
		check_address(check, email_path, texts.email, texts.name != NULL ? texts.name : "",
			      to);
	g_free(texts.email);
	g_free(texts.name);
}

/* ---- fields ---- */

static void found_one(struct check *check, const char *path, struct address *address, void *context)
{
	struct address *to = context;

	if (to->email != NULL) {
		check_fail(check, path, "more than one address");
		return;
	}
	*to = *address;
	*address = (struct address){0};
}

void check_mailbox_text(struct check *check, const char *path, const char *text, struct address *to)
{
	address_clear(to);
	read_mailboxes(check, path, text, found_one, to);
}

void check_mailbox(struct check *check, const struct check_field *field, const char *path,
		   const struct wire *value, void *to)
{
	struct address *address = (struct address *)((char *)to + field->offset);
	const char *text = wire_text(value) != NULL ? check_string(check, path, value, 0) : NULL;

	if (text != NULL) {
		check_mailbox_text(check, path, text, address);
	} else if (!check->failed) {
		address_clear(address);
		read_object(check, path, value, address);
	}
}

struct adding {
	GArray *addresses;
	int64_t *count; /* of addresses so far, this field's or several fields' */
	const char *fields;
};

static void found_more(struct check *check, const char *path, struct address *address,
		       void *context)
{
	const struct adding *adding = context;
	int64_t max = check->config->limits.recipients;

	(void)path;
	if (++*adding->count > max) {
		check_fail_as(check, "5.5.3", adding->fields,
			      "more than %" G_GINT64_FORMAT " addresses (limits.recipients)", max);
		return;
	}
	g_array_append_val(adding->addresses, *address);
	*address = (struct address){0};
}

static void read_element(struct check *check, const char *path, const struct wire *value,
			 struct adding *adding)
{
	struct address address = {0};

	if (wire_text(value) != NULL) {
		const char *text = check_string(check, path, value, MAILBOX_MAX);

		if (text != NULL)
			check_mailbox_text(check, path, text, &address);
	} else {
		read_object(check, path, value, &address);
	}
	if (!check->failed && address.email == NULL)
		check_fail(check, path, "no address");
	if (!check->failed)
		found_more(check, path, &address, adding);
	address_clear(&address);
}

static void read_list(struct check *check, const char *path, const struct wire *value,
		      struct adding *adding, struct address_list *list)
{
	char element_path[CHECK_PATH_MAX];

	adding->addresses = g_array_new(FALSE, FALSE, sizeof(struct address));
	if (wire_text(value) != NULL) {
		const char *text = check_string(check, path, value, 0);

		if (text != NULL)
			read_mailboxes(check, path, text, found_more, adding);
	} else if (strcmp(wire_type_name(value), "array") == 0) {
		for (size_t i = 0; i < wire_length(value) && !check->failed; i++) {
			g_snprintf(element_path, sizeof(element_path), "%s[%zu]", path, i);
			read_element(check, element_path, wire_at(value, i), adding);
		}
	} else {
		check_fail(check, path, "string or list expected, not %s", wire_type_name(value));
	}
	address_list_clear(list);
	list->count = adding->addresses->len;
	list->item = (struct address *)(void *)g_array_free(adding->addresses, FALSE);
}

void check_recipients(struct check *check, const struct check_field *field, const char *path,
		      const struct wire *value, void *to)
{
	struct adding adding = {.count = &check->recipients, .fields = "To, Cc and Bcc"};

	read_list(check, path, value, &adding, (struct address_list *)((char *)to + field->offset));
}

/* {"Thread": ID}: the address is made when the thread is known. */
static void read_thread(struct check *check, const struct check_field *field, const char *path,
			const struct wire *value, void *to)
{
	struct request *request = to;
	const char *text = check_string(check, path, value, field->max);

	if (text == NULL)
		return;
	request->has_thread = id_parse(&request->thread, text);
	if (!request->has_thread)
		check_fail(check, path, "no UUID: \"%s\"", text);
}

void check_reply_to(struct check *check, const struct check_field *field, const char *path,
		    const struct wire *value, void *to)
{
	static const struct check_field fields[] = {{"Thread", read_thread, 0, THREAD_MAX}};
	int64_t count = 0;
	struct adding adding = {.count = &count, .fields = "ReplyTo"};

	if (strcmp(wire_type_name(value), "object") == 0) {
		struct request *request = to;

		check_object(check, path, value, fields, G_N_ELEMENTS(fields), to);
		if (!check->failed && !request->has_thread)
			check_fail(check, path, "Thread: missing");
		return;
	}
	read_list(check, path, value, &adding, (struct address_list *)((char *)to + field->offset));
}
