/* cmd_queue.c - queue ls: every lane with its depth and its oldest due time, the leases, the census.
 *
 * Reads only. Exit 1 when the sum of lanes and leases differs from the number of cases (G4). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/show.h"

struct row {
	char lane[80];
	int64_t n, first_due;
};

static int
by_lane(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->lane, ((const struct row *)b)->lane);
}

static int
count_of(struct ctl *c, const char *cmd, const char *suffix, int64_t *ret, struct err *err)
{
	char path[160];
	const struct rds_reply *r;
	struct span argv[2] = {
	    span_str(cmd), span_str(call_key(path, sizeof(path), c->campaign, suffix))};

	if (ctl_cmd(c, argv, 2, &r, err) != 0)
		return -1;
	*ret = rds_int(r);
	rds_sync_free(r);
	return 0;
}

static int
lane_row(struct ctl *c, struct span name, struct row *row, struct err *err)
{
	char suffix[96], path[160];
	const struct rds_reply *r;
	struct span due;
	struct span argv[5] = {
	    span_str("ZRANGE"), {NULL, 0}, span_str("0"), span_str("0"), span_str("WITHSCORES")};

	snprintf(row->lane, sizeof(row->lane), "%.*s", (int)name.len, (const char *)name.data);
	snprintf(suffix, sizeof(suffix), "lane:%s", row->lane);
	if (count_of(c, "ZCARD", suffix, &row->n, err) != 0)
		return -1;
	argv[1] = span_str(call_key(path, sizeof(path), c->campaign, suffix));
	if (ctl_cmd(c, argv, 5, &r, err) != 0)
		return -1;
	due = rds_str(rds_at(r, 1));
	row->first_due = -1;
	text_to_i64((const char *)due.data, due.len, &row->first_due);
	rds_sync_free(r);
	return 0;
}

struct pause {
	bool on;
	char by[40], why[64];
};

static int
read_pause(struct ctl *c, struct pause *ret, struct err *err)
{
	char path[96];
	const struct rds_reply *r;
	struct span argv[5] = {span_str("HMGET"),
	    span_str(call_key(path, sizeof(path), c->campaign, "meta")), span_str("paused"),
	    span_str("paused_by"), span_str("paused_why")};

	if (ctl_cmd(c, argv, 5, &r, err) != 0)
		return -1;
	ret->on = span_eq_str(rds_str(rds_at(r, 0)), "1");
	snprintf(ret->by, sizeof(ret->by), "%.*s", (int)rds_str(rds_at(r, 1)).len,
	    (const char *)rds_str(rds_at(r, 1)).data);
	snprintf(ret->why, sizeof(ret->why), "%.*s", (int)rds_str(rds_at(r, 2)).len,
	    (const char *)rds_str(rds_at(r, 2)).data);
	rds_sync_free(r);
	return 0;
}

static void
print_rows(struct ctl *c, const struct row *rows, size_t n, int64_t cases, int64_t leases,
    const struct pause *pause)
{
	json_t *out = json_object(), *list = json_array();
	int64_t now = show_now(c), sum = leases;
	char lane[128], due[32] = "-";

	for (size_t i = 0; i < n; i++)
		sum += rows[i].n;
	if (!c->json)
		printf("%-28s %8s %18s  %s\n", "lane", "cases", "first due", "");
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		int64_t age = r->n > 0 && r->first_due <= now ? (now - r->first_due) / 1000 : 0;

		if (r->n > 0)
			clock_text(due, r->first_due);
		json_array_append_new(list,
		    json_pack("{s:s s:I s:I s:I}", "lane", r->lane, "cases", (json_int_t)r->n,
		        "first_due", (json_int_t)r->first_due, "oldest_seconds", (json_int_t)age));
		if (!c->json && r->n > 0)
			printf("%-28s %8jd %18s  %s\n", r->lane, (intmax_t)r->n, due,
			    show_lane(lane, r->lane));
	}
	if (c->json) {
		json_object_set_new(out, "lanes", json_incref(list));
		json_object_set_new(out, "leases", json_integer(leases));
		json_object_set_new(out, "cases", json_integer(cases));
		json_object_set_new(out, "adds_up", json_boolean(sum == cases));
		json_object_set_new(out, "paused", json_boolean(pause->on));
		if (pause->on) {
			json_object_set_new(out, "paused_by", json_string(pause->by));
			json_object_set_new(out, "paused_why", json_string(pause->why));
		}
		json_dumpf(out, stdout, JSON_COMPACT);
		printf("\n");
	} else {
		printf("%-28s %8jd\n", "(在手)", (intmax_t)leases);
		printf("导入 %jd = 队列加在手 %jd%s\n", (intmax_t)cases, (intmax_t)sum,
		    sum == cases ? "" : "  !! 对不上: hfctl doctor");
		if (pause->on)
			printf("已暂停发放: %s, %s\n", pause->by, pause->why);
	}
	json_decref(list);
	json_decref(out);
}

static int
queue_ls(struct ctl *c, int argc, char **argv, struct err *err)
{
	char path[96];
	const struct rds_reply *r;
	struct span words[2] = {span_str("SMEMBERS"), {NULL, 0}};
	struct row *rows;
	size_t n;
	int64_t cases = 0, leases = 0, sum = 0;
	struct pause pause = {.on = false};
	int got = 0;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_queue, "queue", "ls");
	if (ctl_campaign(c, err) != 0)
		return -1;
	words[1] = span_str(call_key(path, sizeof(path), c->campaign, "lanes"));
	if (ctl_cmd(c, words, 2, &r, err) != 0)
		return -1;
	n = rds_len(r);
	rows = calloc(n + 1, sizeof(*rows));
	for (size_t i = 0; i < n && got == 0; i++)
		got = lane_row(c, rds_str(rds_at(r, i)), &rows[i], err);
	rds_sync_free(r);
	if (got == 0 && (count_of(c, "HLEN", "cases", &cases, err) != 0 ||
	                    count_of(c, "ZCARD", "leases", &leases, err) != 0 ||
	                    read_pause(c, &pause, err) != 0))
		got = -1;
	if (got == 0) {
		qsort(rows, n, sizeof(*rows), by_lane);
		print_rows(c, rows, n, cases, leases, &pause);
		for (size_t i = 0; i < n; i++)
			sum += rows[i].n;
		got = sum + leases == cases ? 0 : EXIT_FOUND;
	}
	free(rows);
	return got;
}

const struct verb verbs_queue[] = {
    {"queue", "ls", queue_ls, "", "各队列的数量和最早时间; 导入数 = 队列 + 在手"},
    {NULL, NULL, NULL, NULL, NULL},
};
