/* reports.c - figures on a screen: what hfctl or hf-reconcile say with --json, to whom it may be said.
 *
 * Happy path: the name has a row, the person a role of it, each argument a form; the rest is report_run.c's. Failures:
 * no such name or role, an argument of another form, no HF_HOME: this machine is not the server. No shell, no file: the
 * words of a run are those of its row and checked ones, and hfctl may only look (--read-only). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/caller/reports.h"

#define LEADS     (ROLE_LEADER | ROLE_DEPUTY | ROLE_STRIKE_HEAD | ROLE_CALLBACK_HEAD | ROLE_LEADING)
#define WATCH     (LEADS | ROLE_SUPERVISOR | ROLE_DATA | ROLE_ADMIN | ROLE_OPERATOR)
#define ALL_TEAMS (WATCH & ~(uint32_t)(ROLE_LEADER | ROLE_DEPUTY | ROLE_STRIKE_HEAD))
#define MONEY                                                                                      \
	(ROLE_FINANCE | ROLE_CALLBACK_HEAD | ROLE_LEADING | ROLE_SUPERVISOR | ROLE_DATA |          \
	    ROLE_ADMIN)
#define OFFICE (WATCH | ROLE_FINANCE | ROLE_BACK_OFFICE | ROLE_DESIGNATED)

/* ---- the table ----------------------------------------------------------------------------------- */

static const struct report_row rows[] = {
    {"queue", OFFICE, false, false, false, "hfctl", {"queue", "ls"}, {{0}}},
    {"rates", OFFICE, false, false, false, "hfctl", {"rates"}, {{"by", "--by", FORM_WORD, false}}},
    {"ids", OFFICE, false, false, false, "hfctl", {"rates", "ids"},
        {{"figure", "--figure", FORM_WORD, true}, {"person", "--person", FORM_ID, false},
            {"team", "--team", FORM_ID, false}, {"stage", "--stage", FORM_WORD, false}}},
    {"daily", OFFICE, false, false, false, "hfctl", {"report", "daily"},
        {{"day", "--day", FORM_DAY, false}}},
    {"weekly", OFFICE, false, false, false, "hfctl", {"report", "weekly"},
        {{"day", "--day", FORM_DAY, false}}},
    {"flags", LEADS | ROLE_SUPERVISOR | ROLE_DATA, true, false, false, "hfctl",
        {"spotcheck", "flags"},
        {{"person", "--person", FORM_ID, false}, {"day", "--day", FORM_DAY, false}}},
    {"census", WATCH, false, false, false, "hf-reconcile", {"census"}, {{0}}},
    {"nights", OFFICE, false, false, false, "hfctl", {"reconcile", "list"}, {{0}}},
    {"night", OFFICE, false, false, false, "hfctl", {"reconcile", "show"},
        {{"night", NULL, FORM_WORD, true}}},
    {"pay", MONEY, false, false, false, "hfctl", {"pay", "show", "--explain"},
        {{"minimum", "--minimum", FORM_NUMBER, false}, {"sheet", "--sheet", FORM_NUMBER, false}}},
    {"my-pay", 0, true, true, false, "hfctl", {"pay", "show", "--explain"}, {{0}}},
    {"approvals", WATCH | ROLE_FINANCE, false, false, false, "hfctl", {"approve", "list"}, {{0}}},
    {"questions", WATCH, false, false, false, "hfctl", {"question", "list"},
        {{"team", "--team", FORM_ID, false}}},
    {"pass", OFFICE, false, false, false, "hfctl", {"pass", "show"}, {{0}}},
    {"wanted", LEADS | ROLE_BACK_OFFICE | ROLE_DATA, false, false, false, "hfctl",
        {"number", "wanted"}, {{0}}},
    {"reads", WATCH, true, false, false, "hfctl", {"notice", "reads"},
        {{"person", "--person", FORM_ID, false}, {"team", "--team", FORM_ID, false}}},
    {"late", WATCH, false, false, false, "hfctl", {"late", "list"}, {{0}}},
    {"findings", WATCH | ROLE_FINANCE, false, false, false, "hfctl", {"finding", "list"}, {{0}}},
    {"disputes", WATCH | ROLE_FINANCE, false, false, false, "hfctl", {"dispute", "list"}, {{0}}},
    {"spotcheck", LEADS | ROLE_SUPERVISOR | ROLE_DATA, false, false, false, "hfctl",
        {"spotcheck", "list"}, {{"n", NULL, FORM_NUMBER, false}}},
    {"absence-preview", ROLE_LEADER | ROLE_DEPUTY, true, false, true, "hfctl",
        {"absence", "set", "--dry-run"},
        {{"person", NULL, FORM_ID, true}, {"until", "--until", FORM_TIME, true},
            {"to", "--to", FORM_TO, false}}},
    {"policy", OFFICE, false, false, false, "hfctl", {"policy", "show"}, {{0}}},
    {"days", OFFICE, false, false, false, "hfctl", {"holidays", "list"}, {{0}}},
    {"strikes", LEADS | ROLE_STRIKE | ROLE_SUPERVISOR | ROLE_DATA, false, false, false, "hfctl",
        {"strike", "list"}, {{0}}},
    {"case", LEADS | ROLE_DATA | ROLE_SUPERVISOR | ROLE_STRIKE, false, false, false, "hfctl",
        {"case", "show"}, {{"case", NULL, FORM_CASE, true}}},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct report_row *
row_of(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static bool
may_ask(const struct report_row *row, const struct room *r)
{
	return (row->roles & r->roles) != 0 || row->own;
}

/* ---- arguments ----------------------------------------------------------------------------------- */

/* A word of ours at the beginning of a value would be an option. */
static bool
is_value(enum form form, const char *v)
{
	size_t len = strlen(v);
	uint8_t id[16];
	int64_t ms;
	uint64_t n;

	if (len == 0 || len >= REPORT_TEXT || v[0] == '-')
		return false;
	switch (form) {
	case FORM_ID:
	case FORM_TO: return text_is_id(v, len);
	case FORM_NUMBER: return text_to_u64(v, len, &n);
	case FORM_DAY: return len == 10 && strspn(v, "0123456789-") == len;
	case FORM_TIME: return clock_parse(v, &ms);
	case FORM_WORD: return strspn(v, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
	case FORM_CASE: return hex_decode(id, 16, v, len);
	}
	return false;
}

/* ---- asking -------------------------------------------------------------------------------------- */

static bool
take_args(struct run *run, const struct room *r, const struct http_request *req,
    struct http_response *res)
{
	const struct report_row *row = run->row;
	bool others = (row->roles & r->roles) != 0;
	char text[80];

	for (size_t i = 0; i < REPORT_ARGS && row->args[i].name != NULL; i++) {
		const struct arg_row *a = &row->args[i];
		const char *v = http_query(req, a->name);

		if (row->own && strcmp(a->name, "person") == 0 && !others) {
			if (v != NULL && strcmp(v, r->person) != 0) {
				pages_error(res, 403, "denied", "只能看自己的");
				return false;
			}
			v = r->person;
		}
		if (strcmp(a->name, "team") == 0 && (r->roles & ALL_TEAMS) == 0) {
			if (v != NULL && strcmp(v, r->team) != 0) {
				pages_error(res, 403, "denied", "只能看自己小组的");
				return false;
			}
			v = r->team[0] != '\0' ? r->team : v;
		}
		if (v == NULL && !a->needed)
			continue;
		if (v == NULL || !is_value(a->form, v)) {
			(void)snprintf(
			    text, sizeof(text), v == NULL ? "缺少 %s" : "%s 的值不对", a->name);
			pages_error(res, 400, v == NULL ? "missing-field" : "bad-field", text);
			return false;
		}
		if (a->word != NULL)
			run_word(run, a->word);
		run_value(run, v);
	}
	return true;
}

static void
begin_run(struct run *run, const struct room *r)
{
	run_word(run, run->row->program);
	run_word(run, "--json");
	if (strcmp(run->row->program, "hfctl") == 0)
		run_word(run, "--read-only");
	run_word(run, "--campaign");
	run_value(run, r->id.campaign);
	if (run->row->as) {
		run_word(run, "--as");
		run_value(run, r->person);
	}
	for (size_t i = 0; i < 5 && run->row->words[i] != NULL; i++)
		run_word(run, run->row->words[i]);
}

void
reports_answer(struct room *r, const struct http_request *req, struct http_response *res)
{
	struct reports *all = r->office->reports;
	const struct report_row *row = row_of(req->path + strlen(OFFICE_REPORT));
	struct run *run;

	if (row == NULL) {
		pages_error(res, 404, "not-found", "没有这张表");
	} else if (!may_ask(row, r)) {
		pages_error(res, 403, "denied", "这张表不归你看");
	} else if (!all->has_home) {
		pages_error(res, 503, "no-home",
		    "这台机器不是服务器, 看不到报表; 请在服务器上打开 (HF_HOME 指明安装目录)");
	} else {
		run = xcalloc(1, sizeof(*run));
		run->row = row;
		begin_run(run, r);
		if (take_args(run, r, req, res))
			run_ask(all, run, r->person, req, res);
		else
			free(run);
	}
}

void
reports_list(struct room *r, struct http_response *res)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ROWS; i++) {
		json_t *args;

		if (!may_ask(&rows[i], r))
			continue;
		args = json_array();
		for (size_t k = 0; k < REPORT_ARGS && rows[i].args[k].name != NULL; k++)
			(void)json_array_append_new(args, json_string(rows[i].args[k].name));
		(void)json_array_append_new(
		    list, json_pack("{s:s,s:o}", "name", rows[i].name, "args", args));
	}
	pages_json(res, 200,
	    json_pack("{s:o,s:b}", "reports", list, "home", (int)r->office->reports->has_home));
}

/* ---- life ---------------------------------------------------------------------------------------- */

void
reports_open(struct office *o)
{
	const char *home = getenv("HF_HOME");

	o->reports = xcalloc(1, sizeof(*o->reports));
	o->reports->office = o;
	o->reports->has_home = home != NULL && home[0] != '\0';
	if (o->reports->has_home)
		(void)clock_open(home, NULL); /* a demo's day runs by its own clock */
	TAILQ_INIT(&o->reports->runs);
}
