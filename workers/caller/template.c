/* template.c - the campaign's text for a message, with what the case knows in the places of {姓名}, {批次}, {专业}.
 *
 * Happy path: the text of the policy file for this rung, each place filled, what the case does not have left out.
 * hf-router --check-policy has refused any other word in braces; should there be one it stays as it is. */
#include "workers/caller/template.h"

#include <string.h>

#include "base/buf.h"

static const struct {
	const char *word, *key;
} places[] = {{"{姓名}", "name"}, {"{批次}", "batch"}, {"{专业}", "major"}};
#define PLACES_N (sizeof(places) / sizeof(places[0]))

/* Fills the place that the text begins with; how much of it that was, 0: none. */
static size_t
fill(struct buf *out, const char *text, const json_t *task)
{
	for (size_t i = 0; i < PLACES_N; i++) {
		const char *value = json_string_value(json_object_get(task, places[i].key));
		size_t len = strlen(places[i].word);

		if (strncmp(text, places[i].word, len) != 0)
			continue;
		if (value != NULL)
			buf_add(out, value, strlen(value));
		return len;
	}
	return 0;
}

void
template_put(json_t *task, const json_t *rules)
{
	json_int_t rung = json_integer_value(json_object_get(task, "rung"));
	const char *text = json_string_value(
	    json_object_get(json_object_get(rules, "templates"), rung == 1   ? "sms"
	                                                         : rung == 2 ? "im"
	                                                                     : ""));
	struct buf out = BUF_INIT;

	while (text != NULL && *text != '\0') {
		size_t n = fill(&out, text, task);

		if (n == 0) {
			buf_add(&out, text, 1);
			n = 1;
		}
		text += n;
	}
	if (out.len > 0)
		(void)json_object_set_new(
		    task, "template", json_stringn((const char *)out.data, out.len));
	buf_done(&out);
}
