/* main.c - hf-reconcile rates | ids | census | flags | night | nights | kept | what-if | pay | close | supplement | export |
 * verify: prints figures as a table or as JSON.
 *
 * Exit 0; 1 when the census or the second computation of pay found something, or a sheet may not be closed;
 * sysexits otherwise. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "workers/link/home.h"
#include "workers/reconciliation/export.h"
#include "workers/reconciliation/figures.h"
#include "workers/reconciliation/flags.h"
#include "workers/reconciliation/nightly.h"
#include "workers/reconciliation/paydesk.h"
#include "workers/reconciliation/ratedesk.h"
#include "workers/reconciliation/trypolicy.h"
#include "workers/reconciliation/whatif.h"

#define NIGHTS_SHOWN 30

struct options {
	bool json, explain, whole;
	const char *campaign, *by, *verb, *file, *xlsx, *person, *day, *team, *stage, *figure;
	int64_t minimum, as_of, sheet; /* -1, 0, 0: not given */
};

static const char usage[] =
    "用法: hf-reconcile [--json] [--campaign ID] rates [--by caller|team|campaign|stage] [--person "
    "P] "
    "[--as-of TIME]\n"
    "      hf-reconcile [--json] [--campaign ID] ids --figure F [--person P | --team T] [--stage "
    "S[.PASS]] [--as-of TIME]\n"
    "      hf-reconcile [--json] [--campaign ID] census\n"
    "      hf-reconcile [--json] [--campaign ID] flags [--person P] [--day YYYY-MM-DD]\n"
    "      hf-reconcile [--json] [--campaign ID] night [--whole] | nights | kept NIGHT\n"
    "      hf-reconcile [--json] [--campaign ID] [--explain] [--xlsx FILE] [--minimum N] [--sheet "
    "NO] [--as-of TIME] [--person P] pay\n"
    "      hf-reconcile [--json] [--campaign ID] [--explain] --minimum N --as-of TIME close\n"
    "      hf-reconcile [--json] [--campaign ID] [--explain] [--as-of TIME] supplement\n"
    "      hf-reconcile [--json] [--campaign ID] disputes | term\n"
    "      hf-reconcile [--json] [--explain] what-if FILE\n"
    "      hf-reconcile [--campaign ID] [--minimum N] try-policy FILE\n"
    "      hf-reconcile [--json] [--campaign ID] export KIND --out DIR [--csv | --csv-gb] "
    "[--as-of N]\n"
    "          [--person P] [--day YYYY-MM-DD] [--unmasked --purpose TEXT]\n"
    "      hf-reconcile [--json] [--campaign ID] report daily|weekly [--day YYYY-MM-DD] [--html "
    "FILE "
    "[--team T]]\n"
    "      hf-reconcile verify DIR [--key FILE] [--archive DIR]\n"
    "rates 按人、小组、活动、阶段给出回访数和报到率(只用整数, 不四舍五入); ids 打开其中一个数: "
    "它数的是哪些个案; census 核对 导入 = 队列 + "
    "在手,\n"
    "以及 Redis 与 PostgreSQL 是否一致; pay 从账本算出每个人的补贴, --sheet "
    "给出账本里签过字的一张;\n"
    "close 和 supplement 给出可以关帐的表和补发表, 或者说明还差什么; what-if 按一张表试算, "
    "不需要服务器。\n退出码: 0 正常, 1 对不上, 64-78 见 sysexits。HF_HOME "
    "指明安装目录。\n";

static bool
takes_word(const char *verb)
{
	return strcmp(verb, "what-if") == 0 || strcmp(verb, "kept") == 0 ||
	       strcmp(verb, "try-policy") == 0;
}

static bool
count_of(const char *text, int64_t *ret)
{
	return text_to_i64(text, strlen(text), ret) && *ret >= 0;
}

/* ms since 1970, or "2026-09-20 18:00" */
static bool
moment_of(const char *text, int64_t *ret)
{
	return (count_of(text, ret) || clock_parse(text, ret)) && *ret > 0;
}

static bool
parse(struct options *o, int argc, char **argv)
{
	bool ok = true;

	*o = (struct options){.by = "caller", .minimum = -1};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (strcmp(argv[i], "--campaign") == 0 && i + 1 < argc)
			o->campaign = argv[++i];
		else if (strcmp(argv[i], "--by") == 0 && i + 1 < argc)
			o->by = argv[++i];
		else if (strcmp(argv[i], "--xlsx") == 0 && i + 1 < argc)
			o->xlsx = argv[++i];
		else if (strcmp(argv[i], "--person") == 0 && i + 1 < argc)
			o->person = argv[++i];
		else if (strcmp(argv[i], "--team") == 0 && i + 1 < argc)
			o->team = argv[++i];
		else if (strcmp(argv[i], "--stage") == 0 && i + 1 < argc)
			o->stage = argv[++i];
		else if (strcmp(argv[i], "--figure") == 0 && i + 1 < argc)
			o->figure = argv[++i];
		else if (strcmp(argv[i], "--day") == 0 && i + 1 < argc)
			o->day = argv[++i];
		else if (strcmp(argv[i], "--minimum") == 0 && i + 1 < argc)
			ok = ok && count_of(argv[++i], &o->minimum);
		else if (strcmp(argv[i], "--as-of") == 0 && i + 1 < argc)
			ok = ok && moment_of(argv[++i], &o->as_of);
		else if (strcmp(argv[i], "--sheet") == 0 && i + 1 < argc)
			ok = ok && count_of(argv[++i], &o->sheet);
		else if (strcmp(argv[i], "--whole") == 0)
			o->whole = true;
		else if (strcmp(argv[i], "--explain") == 0)
			o->explain = true;
		else if (o->verb == NULL && argv[i][0] != '-')
			o->verb = argv[i];
		else if (o->file == NULL && o->verb != NULL && takes_word(o->verb))
			o->file = argv[i];
		else
			return false;
	}
	if (!ok ||
	    (o->verb != NULL && strcmp(o->verb, "close") == 0 && (o->minimum < 0 || o->as_of <= 0)))
		return false;
	return o->verb != NULL && (!takes_word(o->verb) || o->file != NULL);
}

static const char *
text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s != NULL ? s : "-";
}

static int64_t
number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static void
print_census(const json_t *out)
{
	const char *lane;
	const json_t *d;
	json_t *n;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)json_object_get(out, "lanes"), lane, n)
	    printf("%-28s %8jd\n", lane, (intmax_t)json_integer_value(n));
	printf("%-28s %8jd\n", "(leases)", (intmax_t)number(out, "leases"));
	printf("导入 %jd, %s; 账本落后 %jd 条\n", (intmax_t)number(out, "imported"),
	    json_is_true(json_object_get(out, "adds_up")) ? "与队列加在手相等"
	                                                  : "与队列加在手不等!",
	    (intmax_t)number(out, "behind"));
	json_array_foreach(json_object_get(out, "differences"), i, d)
	{
		const char *r = json_string_value(json_object_get(d, "redis"));
		const char *p = json_string_value(json_object_get(d, "postgres"));

		printf("不一致 %s  Redis %s  PostgreSQL %s\n",
		    json_string_value(json_object_get(d, "case")), r != NULL ? r : "没有",
		    p != NULL ? p : "没有");
	}
}

static void
put_json(const json_t *out)
{
	json_dumpf(out, stdout, JSON_COMPACT);
	printf("\n");
}

static int
census(const struct options *o, struct pg *pg, struct rds_sync *redis, const char *campaign,
    struct err *err)
{
	struct case_mark mark;
	json_t *out;
	int code;

	if (figures_census(pg, redis, campaign, &mark, NULL, &out, err) != 0)
		return -1;
	code = json_is_true(json_object_get(out, "adds_up")) &&
	               json_array_size(json_object_get(out, "differences")) == 0
	           ? 0
	           : 1;
	if (o->json) {
		json_dumpf(out, stdout, JSON_COMPACT);
		printf("\n");
	} else {
		print_census(out);
	}
	json_decref(out);
	return code;
}

static int
night(const struct options *o, struct nightly *n, struct err *err)
{
	json_t *out;
	int code;

	if (clock_open(n->home->dir, err) != 0)
		return -1;
	n->now = clock_campaign_ms();
	if (nightly_run(n, &out, err) != 0)
		return -1;
	code = nightly_differences(out) == 0 ? 0 : 1;
	if (o->json)
		put_json(out);
	else
		nightly_print(out);
	json_decref(out);
	return code;
}

static int
nights(const struct options *o, struct pg *pg, const char *campaign, struct err *err)
{
	bool one = o->file != NULL;
	json_t *out;

	if (one ? nightly_kept(pg, campaign, o->file, &out, err) != 0
	        : nightly_list(pg, campaign, NIGHTS_SHOWN, &out, err) != 0)
		return -1;
	if (o->json)
		put_json(out);
	else if (one)
		nightly_print_kept(out);
	else
		nightly_print_list(out);
	json_decref(out);
	return 0;
}

static int
flags(
    const struct options *o, struct pg *pg, const char *keys, const char *campaign, struct err *err)
{
	json_t *out;

	if (flags_read(pg, keys, campaign, o->person, o->day, &out, err) != 0)
		return -1;
	if (o->json)
		put_json(out);
	else
		flags_print(out);
	json_decref(out);
	return 0;
}

static int
what_if(const struct options *o, struct err *err)
{
	json_t *out = NULL, *errors = NULL;
	const json_t *e;
	size_t i;
	int got;

	if (crypt_init(err) != 0)
		return -1;
	got = whatif_file(o->file, &out, &errors, err);
	if (got == 0 && o->json) {
		put_json(out);
	} else if (got == 0) {
		paydesk_print(out, o->explain);
	} else if (o->json && json_array_size(errors) > 0) {
		out = json_pack("{s:[] s:O}", "rows", "errors", errors);
		put_json(out);
	}
	json_array_foreach(errors, i, e)
	{
		fprintf(stderr, "%s\n", text(e, "text"));
	}
	json_decref(out);
	json_decref(errors);
	return got;
}

/* The stores and the moment that a verb works with. */
struct work {
	const struct options *o;
	struct home home;
	struct rds_sync *redis;
	struct pg *pg;
	struct readings rules;
	struct weekdays days; /* working days */
	struct past past;     /* of --as-of */
	name_t campaign;
};

static int
answer(struct work *w, struct err *err)
{
	const struct options *o = w->o;
	struct past *past = o->as_of > 0 ? &w->past : NULL;
	const struct figures_of of = {o->figure, o->person, o->team, o->stage};
	const struct paydesk desk = {w->pg, w->home.keys, w->campaign, &w->rules, &w->days, o->json,
	    o->explain, o->person, o->xlsx, past, o->minimum, o->sheet};

	if (strcmp(o->verb, "rates") == 0)
		return ratedesk_rates(w->pg, w->campaign, o->by, o->person, past, o->json, err);
	if (strcmp(o->verb, "ids") == 0)
		return ratedesk_ids(w->pg, w->campaign, &of, past, o->json, err);
	if (strcmp(o->verb, "pay") == 0)
		return paydesk_show(&desk, err);
	if (strcmp(o->verb, "try-policy") == 0)
		return trypolicy_show(&desk, o->file, err);
	if (strcmp(o->verb, "close") == 0 || strcmp(o->verb, "supplement") == 0)
		return paydesk_close(&desk, strcmp(o->verb, "close") == 0, err);
	if (strcmp(o->verb, "disputes") == 0 || strcmp(o->verb, "term") == 0)
		return clock_open(w->home.dir, err) != 0
		           ? -1
		           : paydesk_disputes(
		                 &desk, strcmp(o->verb, "term") == 0, clock_campaign_ms(), err);
	if (strcmp(o->verb, "flags") == 0)
		return flags(o, w->pg, w->home.keys, w->campaign, err);
	if (strcmp(o->verb, "census") == 0)
		return census(o, w->pg, w->redis, w->campaign, err);
	if (strcmp(o->verb, "night") == 0)
		return night(
		    o, &(struct nightly){w->pg, w->redis, &w->home, w->campaign, 0, o->whole}, err);
	if (strcmp(o->verb, "nights") == 0 || strcmp(o->verb, "kept") == 0)
		return nights(o, w->pg, w->campaign, err);
	return err_set(err, ERR_INVALID, "没有这个动作: %s\n%s", o->verb, usage);
}

/* A moment that lies ahead has no figures. */
static int
open_past(struct work *w, struct err *err)
{
	if (w->o->as_of == 0)
		return 0;
	if (clock_open(w->home.dir, err) != 0)
		return -1;
	if (w->o->as_of > clock_campaign_ms())
		return err_set(err, ERR_INVALID, "--as-of 还没有到");
	return past_read(&w->past, w->pg, w->home.keys, w->campaign, w->o->as_of, err);
}

static int
run(const struct options *o, struct err *err)
{
	static struct work w; /* large: a year of days */
	char conninfo[700];
	int got = -1;

	w = (struct work){.o = o, .past = PAST_INIT};
	if (crypt_init(err) != 0 || home_load(&w.home, err) != 0 ||
	    home_redis(&w.home, "dash", &w.redis, err) != 0)
		return -1;
	home_conninfo(&w.home, "hf_reconcile", conninfo, sizeof(conninfo));
	if (home_campaign(w.redis, o->campaign, w.campaign, err) == 0 &&
	    paydesk_rules(w.redis, w.campaign, &w.rules, err) == 0 &&
	    paydesk_days(w.redis, w.campaign, &w.days, err) == 0 &&
	    pg_open(&w.pg, conninfo, err) == 0 && open_past(&w, err) == 0)
		got = answer(&w, err);
	past_done(&w.past);
	pg_close(w.pg);
	rds_sync_close(w.redis);
	return got;
}

/* The first word that is neither an option nor the value of --campaign. */
static bool
is_verb(int argc, char **argv, const char *verb)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--campaign") == 0)
			i++;
		else if (argv[i][0] != '-')
			return strcmp(argv[i], verb) == 0;
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct err err = ERR_INIT;
	int got;

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("hf-reconcile", LOG_LVL_WARN);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("hf-reconcile %s\n", HF_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (is_verb(argc, argv, "export") || is_verb(argc, argv, "report") ||
	    is_verb(argc, argv, "verify"))
		return export_main(argc, argv);
	if (!parse(&o, argc, argv)) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	got = strcmp(o.verb, "what-if") == 0 ? what_if(&o, &err) : run(&o, &err);
	if (got >= 0)
		return fflush(stdout) == 0 ? got : EX_IOERR;
	fprintf(stderr, "hf-reconcile: %s\n", err.text);
	return err.code == ERR_INVALID     ? EX_USAGE
	       : err.code == ERR_CORRUPT   ? EX_DATAERR
	       : err.code == ERR_NOT_FOUND ? EX_NOINPUT
	       : err.code == ERR_EXISTS    ? EX_CANTCREAT
	       : err.code == ERR_IO        ? EX_IOERR
	                                   : EX_UNAVAILABLE;
}
