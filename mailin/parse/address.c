#include "mailin/parse/address.h"

#include <gmime/gmime.h>

#include "mailin/parse/encoded_word.h"

struct collector {
	struct wire *array;
	int64_t max;
	struct defects *defects;
};

/* Of one mailbox with its name.  GMime's time is quadratic in it. */
enum { PIECE_MAX = 8192 };

static bool is_full(struct collector *c)
{
	if ((int64_t)wire_length(c->array) < c->max)
		return false;
	defect_note(c->defects, DEFECT_ADDRESSES_MANY);
	return true;
}

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

/* Folded, without control characters. */
static char *clean_name(const char *name)
{
	GString *clean = g_string_new(NULL);

	for (const char *p = name; p != NULL && *p != '\0'; p++) {
		bool blank = *p == ' ' || g_ascii_iscntrl(*p);
		if (!blank)
			g_string_append_c(clean, *p);
		else if (clean->len > 0 && clean->str[clean->len - 1] != ' ')
			g_string_append_c(clean, ' ');
	}
	return g_strchomp(g_string_free(clean, FALSE));
}

/* ---- syntax ---- */

/* Where the scan stands: within what a special character is none. */
struct context {
	const char *quoted; /* where it began, NULL: it does not stand within one */
	const char *comment;
	int comment_depth;
	const char *literal;
	const char *angle;
	bool group;
};

/* True if *p is syntax of the list, not of something within it.  Steps over a quoted pair. */
static bool is_list_syntax(struct context *c, const char **p)
{
	char ch = **p;

	if (ch == '\\' && (*p)[1] != '\0' && (c->quoted != NULL || c->comment != NULL)) {
		++*p;
	} else if (c->quoted != NULL) {
		if (ch == '"')
			c->quoted = NULL;
	} else if (c->comment != NULL) {
		c->comment_depth += ch == '(' ? 1 : ch == ')' ? -1 : 0;
		if (c->comment_depth == 0)
			c->comment = NULL;
	} else if (c->literal != NULL) {
		if (ch == ']')
			c->literal = NULL;
	} else if (ch == '"') {
		c->quoted = *p;
	} else if (ch == '(') {
		c->comment = *p;
		c->comment_depth = 1;
	} else if (ch == '[') {
		c->literal = *p;
	} else if (ch == '<') {
		c->angle = *p;
	} else if (ch == '>') {
		c->angle = NULL;
	} else if (c->angle != NULL && c->angle[1] == '@') {
		return false; /* a source route: its commas and colon are its own */
	} else {
		/* A comma ends even an address that lacks its '>'; a colon there is part of it. */
		return ch == ',' || ch == ';' || (ch == ':' && c->angle == NULL);
	}
	return false;
}

/* ---- one mailbox, by GMime ---- */

/* GMime would decode what is left of broken words, with whatever charset they name. */
static void disarm_words(GString *text)
{
	static const char ours[] = "=?UTF-8?B?";
	char *p = text->str;

	while ((p = strstr(p, "=?")) != NULL) {
		char *end = g_str_has_prefix(p, ours) ? strstr(p + strlen(ours), "?=") : NULL;
		if (end == NULL)
			p[1] = ' ';
		p = end == NULL ? p + 1 : end + strlen("?=");
	}
}

static void collect(struct collector *c, InternetAddressList *list)
{
	for (int i = 0; i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		if (!INTERNET_ADDRESS_IS_MAILBOX(address))
			continue;
		if (is_full(c))
			return;
		const char *email =
			internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		g_autofree char *name = clean_name(internet_address_get_name(address));
		if (email == NULL || strchr(email, '@') == NULL) {
			defect_note(c->defects, DEFECT_ADDRESS);
			if (i > 0)
				continue; /* rubbish behind a mailbox */
		}
		wire_append(c->array, address_object(email, name));
	}
}

static bool is_address_end(char c)
{
	return is_space(c) || strchr("<>()\",;:", c) != NULL;
}

/* "nobody", "<nobody>". */
static void add_without_at(struct collector *c, const char *text, const char *name)
{
	g_autofree char *email = g_strdup(text);
	g_autofree char *clean = clean_name(g_strdelimit(email, "<>", ' '));
	const char *start = clean + strspn(clean, " ");
	if (*start != '\0')
		wire_append(c->array, address_object(start, name));
}

/*
 * What GMime refuses and people read without thinking: "Foo foo@example.com",
 * "foo..bar@example.com" (a Japanese provider gave such addresses away).  The word around the last
 * '@'; the name is `name` or what stands before the address.  Without any '@' all of it is the
 * address.
 */
static void add_by_eye(struct collector *c, const char *text, const char *name)
{
	const char *at = strrchr(text, '@');
	const char *start = at, *end = at;

	defect_note(c->defects, DEFECT_ADDRESS);
	if (is_full(c))
		return;
	while (at != NULL && start > text && !is_address_end(start[-1]))
		start--;
	while (at != NULL && *end != '\0' && !is_address_end(*end))
		end++;
	if (start == at || end == at + 1) {
		add_without_at(c, text, name);
		return;
	}
	g_autofree char *email = g_strndup(start, (size_t)(end - start));
	g_autofree char *decoded =
		encoded_word_decode((struct span){text, (size_t)(start - text)}, NULL, c->defects);
	g_autofree char *before = clean_name(g_strdelimit(decoded, "\"<", ' '));
	wire_append(c->array, address_object(email, name == NULL ? before : name));
}

/* From the last '<' on. */
static struct span without_name(struct span piece)
{
	const char *angle = memrchr(piece.data, '<', piece.size);
	if (angle == NULL)
		return piece;
	return (struct span){angle, piece.size - (size_t)(angle - piece.data)};
}

/* The first of GMime's mailboxes that is one, or NULL; borrowed from the list. */
static const char *first_email(InternetAddressList *list)
{
	for (int i = 0; list != NULL && i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		if (!INTERNET_ADDRESS_IS_MAILBOX(address))
			continue;
		const char *email =
			internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		if (email != NULL && strchr(email, '@') != NULL)
			return email;
	}
	return NULL;
}

static InternetAddressList *parse(const char *text)
{
	g_autoptr(GString) safe = g_string_new(text);
	disarm_words(safe);
	return internet_address_list_parse(NULL, safe->str);
}

/* "<a@b>", whose name is the phrase's beginning, unquoted.  Takes both away. */
static void add_named(struct collector *c, GString *phrase, size_t name_size, GString *address)
{
	g_autofree char *decoded =
		encoded_word_decode((struct span){phrase->str, name_size}, NULL, c->defects);
	g_autofree char *name = clean_name(decoded);

	g_string_replace(address, "<mailto:", "<", 1);
	InternetAddressList *list = parse(address->str);
	const char *email = first_email(list);
	if (is_full(c))
		;
	else if (email != NULL)
		wire_append(c->array, address_object(email, name));
	else
		add_by_eye(c, address->str, name);
	g_clear_object(&list);
	g_string_erase(phrase, 0, (gssize)name_size);
	g_string_truncate(address, 0);
}

/* Without angle brackets; a comment is the name then ("a@b (Ann)"). */
static void add_bare(struct collector *c, const char *text)
{
	InternetAddressList *list = parse(text);

	if (first_email(list) != NULL)
		collect(c, list);
	else
		add_by_eye(c, text, NULL);
	g_clear_object(&list);
}

/* Sort a character into phrase or address; comments go, and blanks in the address. */
static void sort_character(const struct context *before, const struct context *after,
			   const char *from, const char *to, GString *phrase, GString *address)
{
	bool inside = before->angle != NULL || after->angle != NULL;
	bool edge = before->quoted == NULL || after->quoted == NULL;

	if (before->comment != NULL || after->comment != NULL)
		g_string_append_c(phrase, ' ');
	else if (!inside && edge && (*from == '"' || *from == '>'))
		return;
	else if (!inside)
		g_string_append_c(phrase, *to); /* of a quoted pair the second */
	else if (after->quoted != NULL || !is_space(*from))
		g_string_append_len(address, from, to + 1 - from);
}

/* A name behind the address counts if there is none before it ("<a@b> Ann"). */
static size_t name_end(const GString *phrase, size_t name_size)
{
	struct span before = {phrase->str, name_size};
	return span_trim(before).size > 0 ? name_size : phrase->len;
}

static void add_piece(struct collector *c, const char *start, size_t size)
{
	struct span piece = span_trim((struct span){start, size});

	if (piece.size == 0 || is_full(c))
		return;
	if (piece.size > PIECE_MAX) {
		defect_note(c->defects, DEFECT_ADDRESS);
		piece = without_name(piece);
		if (piece.size > PIECE_MAX)
			return;
	}
	g_autofree char *text = g_strndup(piece.data, piece.size);
	g_autoptr(GString) phrase = g_string_new(NULL), address = g_string_new(NULL);
	struct context context = {0};
	size_t name_size = 0; /* of phrase, what stood before the address */
	bool any = false;
	for (const char *p = text; *p != '\0'; p++) {
		struct context before = context;
		const char *from = p;
		is_list_syntax(&context, &p);
		if (context.angle == from && address->len > strlen("<"))
			add_named(c, phrase, name_size, address);
		if (context.angle == from) {
			g_string_truncate(address, 0); /* "<<a@b>>" */
			name_size = phrase->len;
		}
		any |= context.angle != NULL;
		sort_character(&before, &context, from, p, phrase, address);
	}
	if (address->len > 0)
		add_named(c, phrase, name_end(phrase, name_size), address);
	else if (!any && !is_blank_text(phrase->str))
		add_bare(c, strchr(text, '@') != NULL ? text : phrase->str);
}

/* ---- the list ---- */

/* What is opened and never closed is no syntax; without this one quote would hide all that follows.
 */
static void close_open(char *text)
{
	enum { KINDS = 3 }; /* quotes, comments, literals */

	for (int i = 0; i < KINDS; i++) {
		struct context c = {0};
		for (const char *p = text; *p != '\0'; p++)
			is_list_syntax(&c, &p);
		const char *open = c.quoted != NULL    ? c.quoted
				   : c.comment != NULL ? c.comment
						       : c.literal;
		if (open == NULL)
			return;
		char kind = *open;
		for (char *p = text + (open - text); *p != '\0'; p++)
			if (*p == kind)
				*p = ' ';
	}
}

/* "Smith, John <js@example.com>": the first piece is no mailbox, but part of the next one's name.
 */
static bool is_name_part(const char *start, const char *comma)
{
	size_t size = (size_t)(comma - start);
	if (memchr(start, '@', size) != NULL || memchr(start, '<', size) != NULL)
		return false;
	const char *rest = comma + strcspn(comma + 1, ",;:<\"") + 1;
	return *rest == '<' && memchr(comma, '@', (size_t)(rest - comma)) == NULL;
}

/*
 * Cut at commas and semicolons, and leave out the names of groups.  GMime could do this, but it
 * recurses for a group within a group and takes quadratic time for long lists of rubbish.
 */
static void add_list(struct collector *c, char *text)
{
	struct context context = {0};
	const char *start = text, *p;

	close_open(text);
	for (p = text; *p != '\0'; p++) {
		if (!is_list_syntax(&context, &p))
			continue;
		if ((*p == ',' || (*p == ';' && !context.group)) && is_name_part(start, p))
			continue;
		if (*p == ':' && context.group)
			defect_note(c->defects, DEFECT_GROUP_NESTED);
		if (*p != ':')
			add_piece(c, start, (size_t)(p - start));
		if (*p != ',')
			context.group = *p == ':';
		context.angle = NULL;
		start = p + 1;
	}
	add_piece(c, start, (size_t)(p - start));
}

void address_list(struct span value, const char *hint, int64_t max, struct wire *array,
		  struct defects *defects)
{
	struct collector collector = {.array = array, .max = max, .defects = defects};
	g_autofree char *recoded = encoded_word_recode(value, hint, defects);
	bool encoded = strstr(recoded, "=?") != NULL;

	/* Some senders encode the whole field, address and all. */
	if (encoded && strchr(recoded, '@') == NULL) {
		g_autofree char *decoded = encoded_word_decode(value, hint, defects);
		add_list(&collector, decoded);
		return;
	}
	add_list(&collector, recoded);
}
