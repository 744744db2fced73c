/* trial.c - a policy file on trial: what it changes, which cases it concerns, whose pay it moves.
 *
 * Happy path: hf-router --try-policy says the lines and the cases, hf-reconcile try-policy the pay when a reading of a
 * question changes. Failures: a file with problems (they stand on stderr); pay that could not be had is said as such. */
#include "ctl/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/link/helper.h"

/* One line of hf-router --try-policy: words kept apart by tabs. */
static void
take_line(void *arg, char *line)
{
	struct trial *t = arg;
	char *rest = strchr(line, '\t'), *more;

	if (rest == NULL)
		return;
	*rest++ = '\0';
	more = strchr(rest, '\t');
	if (strcmp(line, "was") == 0)
		t->was = strtol(rest, NULL, 10);
	else if (strcmp(line, "next") == 0)
		t->next = strtol(rest, NULL, 10);
	else if (strcmp(line, "-") == 0)
		(void)json_array_append_new(t->removed, json_string(rest));
	else if (strcmp(line, "+") == 0)
		(void)json_array_append_new(t->added, json_string(rest));
	else if (more != NULL && strcmp(line, "cases") == 0) {
		t->cases = strtol(rest, NULL, 10);
		t->concerned = strtol(more + 1, NULL, 10);
	} else if (more != NULL && strcmp(line, "person") == 0) {
		*more = '\0';
		(void)json_object_set_new(
		    t->persons, rest, json_integer(strtol(more + 1, NULL, 10)));
	}
}

int
trial_run(struct ctl *c, char *file, struct trial *t, struct err *err)
{
	char campaign[48], name[] = "hf-router", option[] = "--try-policy";
	char *words[] = {name, campaign, option, file, NULL};
	int code;

	(void)snprintf(campaign, sizeof(campaign), "--campaign=%s", c->campaign);
	return helper_text(words, take_line, t, &code, err) == 0 ? code : -1;
}

/* Whose figure a changed reading moves: the pay of the ledger as it stands, by both. */
int
trial_pay(struct ctl *c, char *file, struct trial *t, struct err *err)
{
	char name[] = "hf-reconcile", campaign[] = "--campaign", verb[] = "try-policy";
	char *words[] = {name, campaign, c->campaign, verb, file, NULL};
	const json_t *line;
	size_t i;
	int code;

	json_array_foreach(t->added, i, line) t->asks =
	    t->asks || strncmp(json_string_value(line), "question", 8) == 0;
	if (!t->asks)
		return 0;
	if (helper_json(words, &t->pay, &code, err) != 0)
		return -1;
	if (code != 0) {
		json_decref(t->pay);
		t->pay = NULL;
	}
	return 0;
}

static void
print_pay(const struct trial *t)
{
	const json_t *rows = json_object_get(t->pay, "rows"), *o;
	const char *unable = json_string_value(json_object_get(t->pay, "unable"));
	size_t i;

	if (!t->asks)
		return;
	if (t->pay == NULL) {
		printf("补贴会怎样变没有算出来, 原因在上面; 提出以前请再试\n");
		return;
	}
	printf("补贴不同的 %zu 人%s, 按账本现在的数, 最低工作量 %jd:\n", json_array_size(rows),
	    json_is_true(json_object_get(t->pay, "provisional")) ? " (暂数, 名单没有冻结)" : "",
	    (intmax_t)json_integer_value(json_object_get(t->pay, "minimum")));
	json_array_foreach(rows, i, o)
	{
		const char *was = json_string_value(json_object_get(o, "bonus_was")),
		           *next = json_string_value(json_object_get(o, "bonus_next"));

		printf("  %-12s %s -> %s", json_string_value(json_object_get(o, "person")),
		    json_string_value(json_object_get(o, "pay_was")),
		    json_string_value(json_object_get(o, "pay_next")));
		if (was != NULL && next != NULL && strcmp(was, next) != 0)
			printf("  组长奖励 %s -> %s", was, next);
		printf("\n");
	}
	if (unable != NULL && unable[0] != '\0')
		printf("  按 %s 的读法, 补贴程序不会算; 这样的政策下不能关帐\n", unable);
}

void
trial_print(const struct ctl *c, const struct trial *t, bool dry)
{
	const char *person;
	json_t *n;
	size_t i;

	if (c->json) {
		json_t *o = json_pack("{s:I s:I s:O s:O s:I s:I s:O s:O? s:b}", "was",
		    (json_int_t)t->was, "version", (json_int_t)t->next, "removed", t->removed,
		    "added", t->added, "cases", (json_int_t)t->cases, "concerned",
		    (json_int_t)t->concerned, "persons", t->persons, "pay", t->pay, "dry_run", dry);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
		return;
	}
	printf("版本 %ld -> %ld\n", t->was, t->next);
	json_array_foreach(t->removed, i, n) printf("  - %s\n", json_string_value(n));
	json_array_foreach(t->added, i, n) printf("  + %s\n", json_string_value(n));
	printf("没完的个案 %ld, 其中 %ld 个以后走法不同 (按最近一次的结果再来一次算)\n", t->cases,
	    t->concerned);
	json_object_foreach(t->persons, person, n) printf("  %-12s %jd\n",
	    strcmp(person, "-") == 0 ? "还没有人" : person, (intmax_t)json_integer_value(n));
	print_pay(t);
	printf(dry ? "只看不改\n" : "已提出, 等第二个人: hfctl --as 另一个人 policy approve\n");
}
