#include "mailin/parse/reply_evidence.h"

#include <string.h>

#include <glib.h>

static bool is_digit(char c)
{
	return g_ascii_isdigit(c);
}

static size_t digits(const char *p)
{
	size_t count = 0;

	while (is_digit(p[count]))
		count++;
	return count;
}

/* "3.5.2019", "05/03/19", "2019-03-05"; and not "192.0.2.45". */
static bool is_date(size_t first, size_t second, size_t third, const char *behind, char separator)
{
	enum { YEAR = 4, PART = 2 };

	if (*behind == separator && is_digit(behind[1]))
		return false;
	return second <= PART && ((first == YEAR && third <= PART) ||
				  (first <= PART && (third == PART || third == YEAR)));
}

/* The figures at p, which begin a number: "2016", "3.5.2016", "10:11".  Returns where to go on. */
static const char *look_at_number(const char *p, struct reply_evidence *evidence)
{
	enum { YEAR = 4, PART = 2 };
	size_t first = digits(p);
	const char *behind = p + first;

	if (first == YEAR && (*p == '1' || *p == '2'))
		evidence->date = true;
	if (first > YEAR || *behind == '\0' || strchr("-/.:h", *behind) == NULL)
		return behind;
	char separator = *behind;
	size_t second = digits(behind + 1);
	const char *end = behind + 1 + second;

	if (second == 0)
		return behind;
	if (separator == ':' || separator == 'h') {
		evidence->time = evidence->time || (first <= PART && second == PART);
		return end;
	}
	if (*end == separator && is_digit(end[1])) {
		size_t third = digits(end + 1);

		end += 1 + third;
		evidence->date = evidence->date || is_date(first, second, third, end, separator);
		/* What goes on in the same way is an address or a version. */
		while (*end == separator && is_digit(end[1]))
			end += 1 + digits(end + 1);
		return end;
	}
	/* "kl. 20.42" */
	if (separator == '.' && first <= PART && second == PART)
		evidence->time = true;
	return end;
}

struct reply_evidence reply_evidence_of(const char *text)
{
	struct reply_evidence evidence = {0};

	for (const char *p = text; *p != '\0';) {
		if (is_digit(*p)) {
			p = look_at_number(p, &evidence);
			continue;
		}
		if (*p == '@' && p > text && g_ascii_isgraph(p[-1]) && g_ascii_isalnum(p[1]))
			evidence.address = true;
		p++;
	}
	return evidence;
}
