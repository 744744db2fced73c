/* cmd_number.c - number shared: one number in the cases of several applicants (a teacher's, an agent's).
 *
 * Reads the queue's own index, which knows numbers by their keyed hash only: no digits are shown. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/incomplete.h"
#include "ctl/policy.h"
#include "ctl/show.h"

/* SCAN may name a key twice. */
static bool
is_listed(const json_t *list, struct span number)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) if (span_eq_str(number, json_string_value(json_object_get(
	                                                           o, "number")))) return true;
	return false;
}

/* One number's cases, if they are enough. */
static int
one_number(struct ctl *c, struct span key, size_t least, json_t *out, struct err *err)
{
	const struct rds_reply *r;
	struct span argv[2] = {span_str("SMEMBERS"), key};
	json_t *cases, *o;
	char hex[33];

	if (ctl_cmd(c, argv, 2, &r, err) != 0)
		return -1;
	if (rds_len(r) >= least && !is_listed(out, span_of(key.data + key.len - 16, 16))) {
		cases = json_array();
		for (size_t i = 0; i < rds_len(r); i++) {
			struct span id = rds_str(rds_at(r, i));

			if (id.len != 16)
				continue;
			hex_encode(hex, id.data, 16);
			(void)json_array_append_new(cases, json_string(hex));
		}
		o = json_pack("{s:s% s:o}", "number", (const char *)key.data + key.len - 16,
		    (size_t)16, "cases", cases);
		(void)json_array_append_new(out, o);
	}
	rds_sync_free(r);
	return 0;
}

static int
all_numbers(struct ctl *c, size_t least, json_t *out, struct err *err)
{
	char pattern[96], cursor[24] = "0";
	const struct rds_reply *r;
	int got = 0;

	(void)call_key(pattern, sizeof(pattern), c->campaign, "num:*");
	do {
		struct span argv[6] = {span_str("SCAN"), span_str(cursor), span_str("MATCH"),
		    span_str(pattern), span_str("COUNT"), span_str("1000")};
		struct span next;

		if (ctl_cmd(c, argv, 6, &r, err) != 0)
			return -1;
		next = rds_str(rds_at(r, 0));
		for (size_t i = 0; got == 0 && i < rds_len(rds_at(r, 1)); i++) {
			struct span key = rds_str(rds_at(rds_at(r, 1), i));

			if (key.len > 16)
				got = one_number(c, key, least, out, err);
		}
		(void)snprintf(
		    cursor, sizeof(cursor), "%.*s", (int)next.len, (const char *)next.data);
		rds_sync_free(r);
	} while (got == 0 && strcmp(cursor, "0") != 0);
	return got;
}

static void
print_shared(const json_t *list)
{
	const json_t *o, *no;
	size_t i, j;

	json_array_foreach(list, i, o)
	{
		printf("号码 %s: %zu 个个案\n", json_string_value(json_object_get(o, "number")),
		    json_array_size(json_object_get(o, "cases")));
		json_array_foreach(json_object_get(o, "cases"), j, no)
		    printf("  %s\n", json_string_value(no));
	}
	if (json_array_size(list) == 0)
		printf("没有共用的号码\n");
}

static int
number_shared(struct ctl *c, int argc, char **argv, struct err *err)
{
	json_t *list;
	int least = 3;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_number, "number", "shared");
	if (ctl_campaign(c, err) != 0 || policy_setting(c, "number.shared-from", &least, err) != 0)
		return -1;
	list = json_array();
	if (all_numbers(c, least < 2 ? 2 : (size_t)least, list, err) != 0) {
		json_decref(list);
		return -1;
	}
	if (c->json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		printf("\n");
	} else {
		print_shared(list);
	}
	json_decref(list);
	return 0;
}

/* One line a person, and all of them together. */
static int
number_by_person(struct ctl *c, struct err *err)
{
	json_int_t cases = 0, lacking = 0;
	json_t *persons, *o;
	const char *who;

	if (ctl_campaign(c, err) != 0 || incomplete_by_person(c, &persons, err) != 0)
		return -1;
	if (c->json) {
		json_dumpf(persons, stdout, JSON_COMPACT | JSON_SORT_KEYS);
		printf("\n");
		json_decref(persons);
		return 0;
	}
	json_object_foreach(persons, who, o)
	{
		json_int_t n = json_integer_value(json_object_get(o, "cases")),
		           bad = json_integer_value(json_object_get(o, "incomplete"));

		printf("%-12s 个案 %lld  号码齐 %lld  不全 %lld\n", who, (long long)n,
		    (long long)(n - bad), (long long)bad);
		cases += n;
		lacking += bad;
	}
	printf("%-12s 个案 %lld  号码齐 %lld  不全 %lld\n", "合计", (long long)cases,
	    (long long)(cases - lacking), (long long)lacking);
	json_decref(persons);
	return 0;
}

/* Complete is a case with an own number and a parent's, or a reason why there is none. Exit 1 while some are not. */
static int
number_incomplete(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *person = opt_take(&argc, argv, "--person", true),
	           *by = opt_take(&argc, argv, "--by", true);
	json_t *list, *o;
	size_t i, n;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 0 || (by != NULL && (person != NULL || strcmp(by, "person") != 0)))
		return ctl_usage(err, verbs_number, "number", "incomplete");
	if (by != NULL)
		return number_by_person(c, err);
	if (ctl_campaign(c, err) != 0 || incomplete_list(c, person, &list, err) != 0)
		return -1;
	n = json_array_size(list);
	if (c->json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		printf("\n");
	} else {
		json_array_foreach(list, i, o)
		{
			const json_t *missing = json_object_get(o, "missing");
			bool both = json_array_size(missing) == 2;

			printf("%s  %s  缺%s\n", json_string_value(json_object_get(o, "case")),
			    json_string_value(json_object_get(o, "owner")),
			    both ? "本人和家长的号码"
			    : strcmp(json_string_value(json_array_get(missing, 0)), "self") == 0
			        ? "本人的号码"
			        : "家长的号码");
		}
		if (n == 0)
			printf("号码都齐了, 或者说明了为什么没有\n");
	}
	json_decref(list);
	return n == 0 ? 0 : EXIT_FOUND;
}

const struct verb verbs_number[] = {
    {"number", "incomplete", number_incomplete, "[--person P | --by person]",
        "号码不全的个案: 缺本人或家长的号码, 也没有说明为什么没有"},
    {"number", "shared", number_shared, "", "多个考生共用的号码 (老师、中介), 和是哪些个案"},
    {NULL, NULL, NULL, NULL, NULL},
};
