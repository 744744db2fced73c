/* cmd_hours.c - hours set, hours show: when a caller is free in a week, between classes; retries prefer it.
 *
 * Happy path: the hours read, a NOTE of the person given by --as, kept by the router. Failures: hours that do not read
 * (64, what and how), the broker's word. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ctl/say.h"
#include "proto/week.h"

static int
hours_set(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct record_header h = {.kind = REC_NOTE};
	const char *text = argc == 1 && strcmp(argv[0], "always") == 0 ? "" : argv[0];
	struct week w;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, verbs_hours, "hours", "set");
	if (week_parse(&w, span_str(text), err) != 0 || ctl_campaign(c, err) != 0)
		return -1;
	field_set_s(&h, F_what, "free-hours");
	if (say_noted(c, &h, text[0] == '\0' ? NULL : text, err) != 0)
		return -1;
	printf("%s\n", w.n == 0 ? "已记下: 不分时间" : "已记下: 重拨尽量排在这些时间");
	return 0;
}

static int
read_hours(struct ctl *c, struct buf *out, struct err *err)
{
	char key[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(key, sizeof(key), c->campaign, "router")), span_str("free")};

	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	if (rds_type(r) == RDS_STR)
		buf_add(out, rds_str(r).data, rds_str(r).len);
	buf_addc(out, '\0');
	rds_sync_free(r);
	return 0;
}

static int
hours_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	struct buf text = BUF_INIT;
	json_t *all;
	char *line, *save;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_hours, "hours", "show");
	if (ctl_campaign(c, err) != 0 || read_hours(c, &text, err) != 0)
		return -1;
	all = json_object();
	for (line = strtok_r((char *)text.data, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *bar = strchr(line, '|');

		if (bar == NULL)
			continue;
		*bar = '\0';
		(void)json_object_set_new(all, line, json_string(bar + 1));
		if (!c->json)
			printf("%-12s %s\n", line, bar + 1);
	}
	if (c->json) {
		json_dumpf(all, stdout, JSON_COMPACT | JSON_SORT_KEYS);
		printf("\n");
	} else if (json_object_size(all) == 0) {
		printf("还没有人说过什么时候有空\n");
	}
	json_decref(all);
	buf_done(&text);
	return 0;
}

const struct verb verbs_hours[] = {
    {"hours", "set", hours_set, "HOURS|always",
        "我一周里什么时候有空, 如 \"mon-fri 12:00-13:00 18:00-21:00\"; 重拨尽量排在那时; 用 --as "
        "说是谁"},
    {"hours", "show", hours_show, "", "各人说过的空闲时间"},
    {NULL, NULL, NULL, NULL, NULL},
};
