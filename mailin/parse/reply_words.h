/*
 * The words by which mail clients announce, in the languages they speak, that a quote follows.
 *
 * All are compared with text that reply_line_fold() made: ASCII in lower case, other letters as
 * clients write them.  Languages are ISO 639 codes; "gmq" stands for Danish, Norwegian and Swedish
 * where a word is the same in them.
 */
#ifndef MAILIN_PARSE_REPLY_WORDS_H
#define MAILIN_PARSE_REPLY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* "wrote" in "On Monday, Ann wrote:". */
struct reply_verb {
	const char *language;
	const char *words;
	enum {
		VERB_ANYWHERE = 0,
		VERB_LAST = 1, /* behind it nothing but the colon */
		VERB_INNER = 2 /* a script that has no spaces between words */
	} place;
};

/* The first one of the table that stands in the folded text, and where; NULL if there is none. */
const struct reply_verb *reply_verb_find(const char *text, const char **where);

/* Does the folded text begin as an attribution does ("On ", "Am ", ...)? */
bool reply_begins_with_preposition(const char *text);

enum reply_label_kind {
	LABEL_FROM = 1,
	LABEL_DATE = 2,
	LABEL_TO = 4,
	LABEL_CC = 8,
	LABEL_SUBJECT = 16,
	LABEL_OTHER = 32
};

/* "Subject" in "Subject: Re: Hello". */
struct reply_label {
	const char *language;
	const char *word;
	enum reply_label_kind kind;
};

/* NULL if there is none. */
const struct reply_label *reply_label_find(const char *word, size_t size);

/* "Original Message" in "-----Original Message-----". */
struct reply_phrase {
	const char *language;
	const char *words;
	bool forward; /* what follows was forwarded */
};

/* The one with which the folded text begins; NULL if there is none. */
const struct reply_phrase *reply_phrase_find(const char *text);

/* "Write above this line". */
bool reply_asks_to_write_above(const char *text);

/* Does the folded text say that answers stand between the lines that follow ("see inline")? */
bool reply_announces_inline(const char *text);

enum reply_forward {
	FORWARD_NO,
	FORWARD_YES,
	FORWARD_UNLESS_FINNISH /* "VS" is an answer in Finnish and forwarded in Danish */
};

/* By the prefix of a subject as it came. */
enum reply_forward reply_subject_forwards(const char *subject);

#endif
