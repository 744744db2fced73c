/* template.c - the message of the rung in work, for a screen: which text, and the case's words for its places.
 *
 * Happy path: the text of the policy file for this rung, filled. Failures: none; no text, no template. */
#include "workers/caller/template.h"

#include "workers/link/message.h"

static struct span
word(const json_t *task, const char *key)
{
	const json_t *v = json_object_get(task, key);

	return json_is_string(v) ? span_of(json_string_value(v), json_string_length(v))
	                         : (struct span){NULL, 0};
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

	if (text != NULL)
		message_fill(
		    &out, text, word(task, "name"), word(task, "batch"), word(task, "major"));
	if (out.len > 0)
		(void)json_object_set_new(
		    task, "template", json_stringn((const char *)out.data, out.len));
	buf_done(&out);
}
