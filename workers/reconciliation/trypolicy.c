/* trypolicy.c - the pay sheet by the rules in force and by those of a file, and who stands otherwise in it.
 *
 * Happy path: both sheets from the ledger, the rows that differ. Nothing is written. Failures: a file that does not
 * read, a reading that no question has (readings.c, with the line), PostgreSQL's. A reading that exists and that pay
 * is not computed by is said as `unable`. */
#include "workers/reconciliation/trypolicy.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "workers/reconciliation/sheet.h"

#define POLICY_MAX 60000

static const json_t *
row_of(const json_t *sheet, const char *person)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(sheet, "rows"), i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "person")), person) == 0)
			return row;
	}
	return NULL;
}

/* The leader's bonus is null for whoever leads nobody. */
static void
put_pair(json_t *o, const char *key, const json_t *was, const json_t *next, const char *of)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%s_was", key);
	(void)json_object_set(o, name, json_object_get(was, of));
	(void)snprintf(name, sizeof(name), "%s_next", key);
	(void)json_object_set(o, name, json_object_get(next, of));
}

static bool
same(const json_t *was, const json_t *next, const char *key)
{
	const json_t *a = json_object_get(was, key), *b = json_object_get(next, key);

	return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

static json_t *
readings_that_differ(const json_t *was, const json_t *next)
{
	json_t *list = json_array(), *word;
	const char *question;

	json_object_foreach((json_t *)next, question, word)
	{
		if (json_is_string(word) && !same(was, next, question))
			(void)json_array_append_new(
			    list, json_pack("{s:s s:O s:O}", "question", question, "was",
			              json_object_get(was, question), "next", word));
	}
	return list;
}

json_t *
trypolicy_compare(const json_t *was, const json_t *next)
{
	json_t *rows = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(next, "rows"), i, row)
	{
		const char *person = json_string_value(json_object_get(row, "person"));
		const json_t *old = row_of(was, person);
		json_t *o;

		if (old == NULL || (same(old, row, "pay") && same(old, row, "leader_bonus")))
			continue;
		o = json_pack("{s:s s:O}", "person", person, "team", json_object_get(row, "team"));
		put_pair(o, "pay", old, row, "pay");
		put_pair(o, "bonus", old, row, "leader_bonus");
		(void)json_array_append_new(rows, o);
	}
	return json_pack("{s:o s:O s:O s:o}", "readings",
	    readings_that_differ(json_object_get(was, "rules"), json_object_get(next, "rules")),
	    "provisional", json_object_get(next, "provisional"), "minimum",
	    json_object_get(next, "minimum"), "rows", rows);
}

int
trypolicy_show(const struct paydesk *d, const char *file, struct err *err)
{
	struct buf text = BUF_INIT;
	struct readings rules;
	json_t *was = NULL, *next = NULL, *out;
	int got = file_read(&text, file, POLICY_MAX, err);

	if (got == 0)
		got = readings_of_policy(&rules, buf_span(&text), err);
	buf_done(&text);
	if (got == 0)
		got = sheet_read(d->pg, d->campaign, d->rules, NULL, d->minimum, &was, err);
	if (got == 0)
		got = sheet_read(d->pg, d->campaign, &rules, NULL, d->minimum, &next, err);
	if (got == 0) {
		out = trypolicy_compare(was, next);
		(void)json_object_set_new(out, "unable", json_string(rules.unable));
		json_dumpf(out, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(out);
	}
	json_decref(was);
	json_decref(next);
	return got;
}
