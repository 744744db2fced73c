/* supplement.c - was = the closed sheet + the differences of every supplement since; difference = now - was, in fen.
 *
 * Happy path: both amounts of each person are compared, and only who differs is listed. Failures: an amount that is not
 * of the form that pay sheets have makes the whole answer NULL. */
#include "workers/reconciliation/supplement.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FEN_MAX INT64_C(1000000000000)

int64_t
supplement_fen(const char *text, int *ret_ok)
{
	const char *s = text;
	bool minus;
	int64_t n = 0;

	*ret_ok = 0;
	if (s == NULL)
		return 0;
	minus = *s == '-';
	s += minus;
	if (*s < '0' || *s > '9')
		return 0;
	for (; *s >= '0' && *s <= '9' && n < FEN_MAX; s++)
		n = n * 10 + (*s - '0');
	if (s[0] != '.' || s[1] < '0' || s[1] > '9' || s[2] < '0' || s[2] > '9' || s[3] != '\0')
		return 0;
	*ret_ok = 1;
	n = n * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	return minus ? -n : n;
}

char *
supplement_text(char out[SUPPLEMENT_TEXT], int64_t fen)
{
	int64_t n = fen < 0 ? -fen : fen;

	(void)snprintf(out, SUPPLEMENT_TEXT, "%s%jd.%02jd", fen < 0 ? "-" : "", (intmax_t)(n / 100),
	    (intmax_t)(n % 100));
	return out;
}

static const json_t *
row_of(const json_t *sheet, const char *person)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(sheet, "rows"), i, row)
	{
		const char *name = json_string_value(json_object_get(row, "person"));

		if (name != NULL && strcmp(name, person) == 0)
			return row;
	}
	return NULL;
}

static int64_t
amount(const json_t *row, const char *key, bool *ok)
{
	int good;
	int64_t fen;

	if (row == NULL)
		return 0;
	fen = supplement_fen(json_string_value(json_object_get(row, key)), &good);
	*ok = *ok && good == 1;
	return fen;
}

/* What was closed for this person, every supplement included. */
static int64_t
was(const json_t *closed, const char *person, const char *key, const char *difference, bool *ok)
{
	const json_t *sheet;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(closed, i, sheet)
	{
		sum += amount(row_of(sheet, person), i == 0 ? key : difference, ok);
	}
	return sum;
}

static void
set(json_t *o, const char *key, int64_t fen)
{
	char text[SUPPLEMENT_TEXT];

	json_object_set_new(o, key, json_string(supplement_text(text, fen)));
}

/* row: of the new sheet, NULL when the person is not on it any more. */
static void
add(json_t *rows, const json_t *closed, const char *person, const json_t *row, bool *ok)
{
	int64_t pay_was = was(closed, person, "pay", "pay_difference", ok);
	int64_t bonus_was = was(closed, person, "leader_bonus", "bonus_difference", ok);
	int64_t pay_now = amount(row, "pay", ok), bonus_now = amount(row, "leader_bonus", ok);
	const json_t *team = json_object_get(row, "team"), *lines = json_object_get(row, "explain");
	json_t *o;

	if (pay_was == pay_now && bonus_was == bonus_now)
		return;
	o = json_object();
	json_object_set_new(o, "person", json_string(person));
	json_object_set_new(o, "team",
	    json_is_string(team) ? json_copy((json_t *)(uintptr_t)team) : json_string(""));
	set(o, "pay_was", pay_was);
	set(o, "pay_now", pay_now);
	set(o, "pay_difference", pay_now - pay_was);
	set(o, "bonus_was", bonus_was);
	set(o, "bonus_now", bonus_now);
	set(o, "bonus_difference", bonus_now - bonus_was);
	json_object_set_new(o, "explain", lines != NULL ? json_deep_copy(lines) : json_array());
	json_array_append_new(rows, o);
}

json_t *
supplement_rows(const json_t *closed, const json_t *now)
{
	json_t *out = json_pack("{s:[]}", "rows"), *rows = json_object_get(out, "rows");
	const json_t *sheet, *row;
	bool ok = true;
	size_t i, k;

	json_array_foreach(json_object_get(now, "rows"), k, row)
	{
		add(rows, closed, json_string_value(json_object_get(row, "person")), row, &ok);
	}
	json_array_foreach(closed, i, sheet)
	{
		json_array_foreach(json_object_get(sheet, "rows"), k, row)
		{
			const char *person = json_string_value(json_object_get(row, "person"));

			if (row_of(now, person) == NULL && row_of(out, person) == NULL)
				add(rows, closed, person, NULL, &ok);
		}
	}
	json_incref(rows);
	json_decref(out);
	if (ok)
		return rows;
	json_decref(rows);
	return NULL;
}
