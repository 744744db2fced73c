/* preview.c - the first rows of a roster, masked: enough to see that the columns were read as they were meant.
 *
 * Happy path: of a name the first character, of a 考生号 its first four and last two digits, of a number three and
 * four; the school and the major whole. Failures: none; what is short is all masked. */
#include "ctl/preview.h"

#include <string.h>

#include "base/buf.h"

#define STARS_MAX 12

static size_t
char_len(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xC0) == 0x80)
		n++;
	return n;
}

/* The first and last bytes, stars between them. */
static json_t *
masked(const char *s, size_t head, size_t tail)
{
	size_t len = s != NULL ? strlen(s) : 0, stars;
	struct buf out = BUF_INIT;
	json_t *ret;

	if (len <= head + tail)
		head = tail = 0;
	stars = len - head - tail;
	buf_add(&out, s, head);
	for (size_t i = 0; i < stars && i < STARS_MAX; i++)
		buf_addc(&out, '*');
	if (tail > 0)
		buf_add(&out, s + len - tail, tail);
	ret = json_stringn((const char *)out.data, out.len);
	buf_done(&out);
	return ret;
}

static json_t *
name_of(const json_t *line)
{
	const char *s = json_string_value(json_object_get(line, "name"));
	struct buf out = BUF_INIT;
	json_t *ret;

	if (s == NULL || s[0] == '\0')
		return json_string("");
	buf_add(&out, s, char_len(s));
	for (const char *at = s + char_len(s); *at != '\0'; at += char_len(at))
		buf_addc(&out, '*');
	ret = json_stringn((const char *)out.data, out.len);
	buf_done(&out);
	return ret;
}

json_t *
preview_row(const json_t *line)
{
	static const char *const whole[] = {
	    "row", "sex", "province", "school", "major", "batch", "reporter"};
	const json_t *n;
	json_t *o = json_object(), *numbers = json_array();
	size_t i;

	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (json_object_get(line, whole[i]) != NULL)
			(void)json_object_set(o, whole[i], json_object_get(line, whole[i]));
	(void)json_object_set_new(
	    o, "no", masked(json_string_value(json_object_get(line, "key")), 4, 2));
	(void)json_object_set_new(o, "name", name_of(line));
	json_array_foreach(json_object_get(line, "numbers"), i, n)
	{
		(void)json_array_append_new(
		    numbers, json_pack("{s:O,s:o}", "kind", json_object_get(n, "kind"), "digits",
		                 masked(json_string_value(json_object_get(n, "digits")), 3, 4)));
	}
	(void)json_object_set_new(o, "numbers", numbers);
	return o;
}
