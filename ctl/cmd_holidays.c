/* cmd_holidays.c - holidays import and list: which days are off, which weekends are worked.
 *
 * Happy path: the file's days that differ from what the router holds go out as one POLICY record with
 * what = "days"; the router puts them over the policy's own days. Failures: a file with a problem changes
 * nothing, each is told with its line (exit 65); a file that says what is known already sends nothing. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/crypt.h"
#include "base/file.h"
#include "ctl/act.h"
#include "ctl/holidays.h"
#include "ctl/show.h"
#include "proto/keys.h"

/* What the router holds now; none when it never heard of any. */
static int
known_days(struct ctl *c, struct days *ret, struct err *err)
{
	char key[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"), {NULL, 0}, span_str("days")};
	int got;

	argv[1] = span_str(call_key(key, sizeof(key), c->campaign, "router"));
	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	got = days_parse(ret, rds_str(r), err);
	rds_sync_free(r);
	return got != 0 ? err_wrap(err, "the router's days") : 0;
}

static void
only_news(struct days *out, const struct days *file, const struct days *known)
{
	out->n = 0;
	for (uint32_t i = 0; i < file->n; i++) {
		const struct day *d = &file->at[i], *k = days_find(known, d->day);

		if (d->kind == DAY_ORDINARY
		        ? k == NULL
		        : k != NULL && k->kind == d->kind && strcmp(k->label, d->label) == 0)
			continue;
		out->at[out->n++] = *d;
	}
}

static int
say_days(struct ctl *c, const struct days *news, struct err *err)
{
	struct acts *a;
	struct buf text = BUF_INIT;
	struct record_header h;
	struct body body = {.text = {NULL, 0}};
	uint8_t key[32];
	int got;

	if (acts_open(c, &a, err) != 0)
		return -1;
	if (show_reserved_key(c, KEYS_REF_CAMPAIGN, key, err) != 0) {
		acts_close(a);
		return -1;
	}
	days_print(&text, news);
	body.text = buf_span(&text);
	h = acts_header(a, REC_POLICY);
	field_set_u(&h, F_policy, 0);
	field_set_s(&h, F_what, "days");
	got = acts_add(a, &h, &body, key, err);
	if (got == 0)
		got = acts_done(a, err);
	crypt_wipe(key, sizeof(key));
	buf_done(&text);
	acts_close(a);
	return got;
}

static void
print_days(const struct ctl *c, const struct days *d)
{
	json_t *rows = json_array();
	char date[DAYS_DATE];

	for (uint32_t i = 0; i < d->n; i++) {
		days_date_text(date, d->at[i].day);
		json_array_append_new(
		    rows, json_pack("{s:s s:s s:s}", "date", date, "kind",
		              day_kind_name(d->at[i].kind), "label", d->at[i].label));
		if (!c->json)
			printf(
			    "%s  %-8s  %s\n", date, day_kind_name(d->at[i].kind), d->at[i].label);
	}
	if (c->json) {
		json_dumpf(rows, stdout, JSON_COMPACT);
		printf("\n");
	} else if (d->n == 0) {
		printf("没有特殊日子\n");
	}
	json_decref(rows);
}

static int
holidays_import(struct ctl *c, int argc, char **argv, struct err *err)
{
	static struct days file, known, news;
	bool dry = opt_take(&argc, argv, "--dry-run", false) != NULL;
	struct buf text = BUF_INIT, problems = BUF_INIT;
	int got;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, verbs_holidays, "holidays", "import");
	got = file_read(&text, argv[0], HOLIDAYS_FILE_MAX, err);
	if (got == 0 && holidays_read(&file, argv[0], buf_span(&text), &problems, err) != 0) {
		fprintf(stderr, "%shfctl: %s\n",
		    problems.data == NULL ? "" : (const char *)problems.data, err->text);
		got = EX_DATAERR;
	}
	buf_done(&text);
	buf_done(&problems);
	if (got != 0)
		return got;
	if (ctl_campaign(c, err) != 0 || known_days(c, &known, err) != 0)
		return -1;
	only_news(&news, &file, &known);
	if (news.n > 0 && !dry && say_days(c, &news, err) != 0)
		return -1;
	if (c->json)
		printf("{\"days\":%" PRIu32 ",\"changed\":%" PRIu32 ",\"dry_run\":%s}\n", file.n,
		    news.n, dry ? "true" : "false");
	else
		printf("文件里 %" PRIu32 " 天, %s %" PRIu32 " 天\n", file.n, dry ? "会改" : "改了",
		    news.n);
	return 0;
}

static int
holidays_list(struct ctl *c, int argc, char **argv, struct err *err)
{
	static struct days known;

	(void)argv;
	if (argc != 0)
		return ctl_usage(err, verbs_holidays, "holidays", "list");
	if (ctl_campaign(c, err) != 0 || known_days(c, &known, err) != 0)
		return -1;
	print_days(c, &known);
	return 0;
}

const struct verb verbs_holidays[] = {
    {"holidays", "import", holidays_import, "FILE [--dry-run]",
        "放假和补班的日子, .ics 或 .csv (日期,性质,名称)"},
    {"holidays", "list", holidays_list, "", "导入的特殊日子"},
    {NULL, NULL, NULL, NULL, NULL},
};
