/* The words of a log entry's detail. */
#include <string.h>

#include "base/text.h"
#include "workers/recorder/words.h"

struct span
word(struct span *rest)
{
	const uint8_t *space = rest->len == 0 ? NULL : memchr(rest->data, ' ', rest->len);
	struct span w = *rest;

	if (space != NULL)
		w.len = (size_t)(space - rest->data);
	rest->data += w.len + (space != NULL);
	rest->len -= w.len + (space != NULL);
	return w;
}

bool
word_u(struct span *rest, uint64_t *ret)
{
	struct span w = word(rest);

	return text_to_u64((const char *)w.data, w.len, ret);
}

bool
word_flag(struct span *rest, bool *ret)
{
	uint64_t v;

	if (!word_u(rest, &v) || v > 1)
		return false;
	*ret = v == 1;
	return true;
}

bool
word_hex(struct span *rest, uint8_t *out, size_t len)
{
	struct span w = word(rest);

	return hex_decode(out, len, (const char *)w.data, w.len);
}

/* "-" gives the empty text. */
bool
word_text(struct span *rest, char *out, size_t size)
{
	struct span w = word(rest);

	if (w.len == 0 || w.len >= size || !utf8_valid(w.data, w.len))
		return false;
	if (span_eq_str(w, "-"))
		w.len = 0;
	memcpy(out, w.data, w.len);
	out[w.len] = '\0';
	return true;
}

bool
word_name(struct span *rest, name_t out)
{
	return word_text(rest, out, sizeof(name_t)) && text_is_id(out, strlen(out));
}
