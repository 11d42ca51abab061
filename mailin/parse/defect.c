#include "mailin/parse/defect.h"

#include <stddef.h>

#include "mailin/document.h"

/* `loses`: the document lacks something that is in the mail, or what it says may be quite wrong. */
static const struct {
	const char *phrase;
	bool loses;
} TABLE[DEFECT_COUNT] = {
	[DEFECT_EMPTY] = {"empty mail", false},
	[DEFECT_NO_HEADER] = {"no header", true},
	[DEFECT_HEADER_LINE] = {"malformed header line", true},
	[DEFECT_HEADER_END] = {"no empty line after header", false},
	[DEFECT_HEADERS_MANY] = {"too many header fields", true},
	[DEFECT_HEADER_LARGE] = {"header too large", true},
	[DEFECT_HEADER_8BIT] = {"raw 8-bit characters in header", false},
	[DEFECT_HEADER_CHARSET] = {"wrong charset label in header", true},
	[DEFECT_ENCODED_WORD] = {"broken encoded word", false},
	[DEFECT_PARAMETER] = {"too many parameters", true},
	[DEFECT_FROM_NONE] = {"no From", false},
	[DEFECT_FROM_SEVERAL] = {"several From addresses", false},
	[DEFECT_ADDRESS] = {"malformed address", false},
	[DEFECT_GROUP_NESTED] = {"nested address groups", false},
	[DEFECT_ADDRESSES_MANY] = {"too many addresses", true},
	[DEFECT_DATE_NONE] = {"no Date", false},
	[DEFECT_DATE_BAD] = {"unusable Date", false},
	[DEFECT_IDS_MANY] = {"too many message ids", false},
	[DEFECT_RESULTS_FOREIGN] = {"authentication results of a foreign server", false},
	[DEFECT_RESULTS_OUTSIDE] = {"authentication results from outside", false},
	[DEFECT_RESULTS_MISLED] = {"signer's identity made for forging results", false},
	[DEFECT_RESULTS_BROKEN] = {"broken authentication results", false},
	[DEFECT_CONTENT_TYPE] = {"malformed Content-Type", false},
	[DEFECT_BOUNDARY_NONE] = {"multipart without boundary", false},
	[DEFECT_BOUNDARY_WRONG] = {"multipart boundary not found", true},
	[DEFECT_UNTERMINATED] = {"unterminated multipart", false},
	[DEFECT_OUTSIDE] = {"text outside of empty parts", true},
	[DEFECT_PARTS_MANY] = {"too many parts", true},
	[DEFECT_DEPTH] = {"parts nested too deeply", false},
	[DEFECT_ATTACHMENTS_MANY] = {"too many attachments", true},
	[DEFECT_CHARSET] = {"wrong charset label", true},
	[DEFECT_NUL] = {"NUL bytes in text", false},
	[DEFECT_BASE64] = {"broken base64", true},
	[DEFECT_ENCODING] = {"unknown transfer encoding", false},
	[DEFECT_BODY_CUT] = {"body cut", true},
	[DEFECT_TNEF] = {"broken TNEF", false},
};

bool defects_lose(const struct defects *defects)
{
	for (size_t i = 0; i < DEFECT_COUNT; i++)
		if (defects->seen[i] && TABLE[i].loses)
			return true;
	return false;
}

void defects_write(const struct defects *defects, struct wire *document)
{
	for (size_t i = 0; i < DEFECT_COUNT; i++)
		if (defects->seen[i])
			document_add_defect(document, TABLE[i].phrase);
}
