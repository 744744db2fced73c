/* readings.c - words of a policy file become the settings of pay.c and of hf.pay_sheet.
 *
 * Happy path: the router has judged the file, so that every word is known here. Failures: a word that a question does
 * not have (a policy of a newer program): nothing is computed by guessing; a reading that exists and that pay does not
 * compute (Q19 team, Q21 counted) is kept as `unable`, and whoever closes a sheet must look at it. */
#include "workers/reconciliation/readings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define WORDS         4
#define MINIMUM_SHARE 80

/* The words in the order of pay.h's enumerations, and what hf.pay_sheet calls them. */
static const struct {
	const char *name;
	int usual;
	const char *word[WORDS], *sql[WORDS];
} table[READINGS] = {
    {"Q1", 0, {"literal", "inclusive", "strict"}, {"literal", "inclusive", "strict"}},
    {"Q2", 0, {"every-tier", "from-task"}, {"A", "B"}},
    {"Q3", 1, {"auto", "needs-minimum", "approved-only", "off"},
        {"auto", "needs_min", "approved_only", "off"}},
    {"Q4", 0, {"own-row", "strict-93"}, {"row", "strict93"}},
    {"Q6", 0, {"each-paid-student", "shortfall", "each-called"},
        {"per_paid", "per_short", "per_called"}},
    {"Q7", 0, {"pooled", "mean"}, {"pooled", "mean"}},
    {"Q18", 0, {"still-payable", "original"}, {"payable", "total"}},
};

static void
settle(struct readings *r)
{
	r->policy = pay_policy_default();
	r->policy.tier = (enum pay_tier)r->word[0];
	r->policy.step_in = (enum pay_step_in)r->word[1];
	r->policy.step = (enum pay_step)r->word[2];
	r->policy.n2 = (enum pay_n2)r->word[3];
	r->policy.n1 = (enum pay_n1)r->word[4];
	r->policy.team_rate = (enum pay_team_rate)r->word[5];
	r->policy.n5 = (enum pay_n5)r->word[6];
}

void
readings_default(struct readings *r)
{
	memset(r, 0, sizeof(*r));
	r->minimum_share = MINIMUM_SHARE;
	for (int i = 0; i < READINGS; i++)
		r->word[i] = table[i].usual;
	settle(r);
}

static bool
take(struct readings *r, struct span question, struct span word)
{
	for (int i = 0; i < READINGS; i++) {
		if (!span_eq_str(question, table[i].name))
			continue;
		for (int w = 0; w < WORDS && table[i].word[w] != NULL; w++) {
			if (!span_eq_str(word, table[i].word[w]))
				continue;
			r->word[i] = w;
			return true;
		}
		return false;
	}
	if ((span_eq_str(question, "Q19") && !span_eq_str(word, "named-only")) ||
	    (span_eq_str(question, "Q21") && !span_eq_str(word, "not-counted")))
		(void)snprintf(r->unable, sizeof(r->unable), "%.*s %.*s", (int)question.len,
		    (const char *)question.data, (int)word.len, (const char *)word.data);
	return true;
}

/* The next cell of a line, without the blanks around it. */
static struct span
cell(struct span *line)
{
	const uint8_t *bar = line->len > 0 ? memchr(line->data, '|', line->len) : NULL;
	size_t n = bar != NULL ? (size_t)(bar - line->data) : line->len, used = n + (bar != NULL);
	struct span s = {line->data, n};

	*line = span_of(line->data + used, line->len - used);
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = span_of(s.data + 1, s.len - 1);
	while (s.len > 0 && strchr(" \t\r", s.data[s.len - 1]) != NULL)
		s.len--;
	return s;
}

/* "80%": the router has judged it. */
static void
take_share(struct readings *r, struct span word)
{
	int64_t n;

	if (word.len > 1 && word.data[word.len - 1] == '%' &&
	    text_to_i64((const char *)word.data, word.len - 1, &n) && n >= 0 && n <= 100)
		r->minimum_share = n;
}

int
readings_of_policy(struct readings *r, struct span text, struct err *err)
{
	int row = 0;

	readings_default(r);
	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t n = end != NULL ? (size_t)(end - text.data) : text.len;
		struct span line = {text.data, n}, head = cell(&line), first = cell(&line);

		row++;
		text = span_of(text.data + n + (end != NULL), text.len - n - (end != NULL));
		if (span_eq_str(head, "policy"))
			(void)text_to_i64((const char *)first.data, first.len, &r->version);
		if (span_eq_str(head, "set") && span_eq_str(first, "volume.minimum-share"))
			take_share(r, cell(&line));
		if (span_eq_str(head, "question") && !take(r, first, cell(&line)))
			return err_set(err, ERR_INVALID,
			    "规则第 %d 行: %.*s 没有这种读法, 补贴不能按它算", row, (int)first.len,
			    (const char *)first.data);
	}
	settle(r);
	return 0;
}

int
readings_of_json(struct readings *r, const json_t *rules, struct err *err)
{
	readings_default(r);
	r->version = json_integer_value(json_object_get(rules, "version"));
	for (int i = 0; i < READINGS; i++) {
		const char *word = json_string_value(json_object_get(rules, table[i].name));

		if (word == NULL || !take(r, span_str(table[i].name), span_str(word)))
			return err_set(err, ERR_CORRUPT, "补贴表的规则读不出来: %s", table[i].name);
	}
	settle(r);
	return 0;
}

json_t *
readings_json(const struct readings *r)
{
	json_t *o = json_pack("{s:I}", "version", (json_int_t)r->version);

	for (int i = 0; i < READINGS; i++)
		json_object_set_new(o, table[i].name, json_string(table[i].word[r->word[i]]));
	return o;
}

bool
readings_are_default(const struct readings *r)
{
	for (int i = 0; i < READINGS; i++)
		if (r->word[i] != table[i].usual)
			return false;
	return true;
}

bool
readings_usual_share(const struct readings *r)
{
	return r->minimum_share == MINIMUM_SHARE;
}

const char *
readings_sql(const struct readings *r, int i)
{
	return table[i].sql[r->word[i]];
}
