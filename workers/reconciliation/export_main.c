/* export_main.c - the words of `hf-reconcile export`, `report` and `verify`, and the connections they need. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/reconciliation/export.h"
#include "workers/reconciliation/paydesk.h"
#include "workers/reconciliation/manifest.h"
#include "workers/reconciliation/weekly_html.h"

static const char usage[] =
    "用法: hf-reconcile [--json] [--campaign ID] export KIND --out DIR [--csv | --csv-gb] "
    "[--as-of N]\n"
    "          [--person P] [--day YYYY-MM-DD] [--unmasked --purpose TEXT]\n"
    "      hf-reconcile [--json] [--campaign ID] report daily|weekly [--day YYYY-MM-DD]\n"
    "          [--html FILE [--team T]]\n"
    "      hf-reconcile verify DIR [--key FILE] [--archive DIR]\n";

struct words {
	const char *campaign, *verb, *kind, *key, *archive, *html, *team;
	bool json;
	struct export x;
};

static bool
take_value(struct words *w, const char *name, const char *value)
{
	if (strcmp(name, "--campaign") == 0)
		w->campaign = value;
	else if (strcmp(name, "--out") == 0)
		w->x.dir = value;
	else if (strcmp(name, "--person") == 0)
		w->x.person = value;
	else if (strcmp(name, "--day") == 0)
		w->x.day = value;
	else if (strcmp(name, "--purpose") == 0)
		w->x.purpose = value;
	else if (strcmp(name, "--html") == 0)
		w->html = value;
	else if (strcmp(name, "--team") == 0)
		w->team = value;
	else if (strcmp(name, "--key") == 0)
		w->key = value;
	else if (strcmp(name, "--archive") == 0)
		w->archive = value;
	else if (strcmp(name, "--as-of") == 0)
		return text_to_i64(value, strlen(value), &w->x.as_of);
	else
		return false;
	return true;
}

static bool
parse(struct words *w, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (strcmp(a, "--json") == 0)
			w->json = true;
		else if (strcmp(a, "--csv") == 0)
			w->x.format = PAGE_CSV;
		else if (strcmp(a, "--csv-gb") == 0)
			w->x.format = PAGE_CSV_GB18030;
		else if (strcmp(a, "--unmasked") == 0)
			w->x.unmasked = true;
		else if (a[0] == '-' && (i + 1 == argc || !take_value(w, a, argv[++i])))
			return false;
		else if (a[0] != '-' && w->verb == NULL)
			w->verb = a;
		else if (a[0] != '-' && w->kind == NULL)
			w->kind = a;
		else if (a[0] != '-')
			return false;
	}
	if (w->kind == NULL || (w->team != NULL && w->html == NULL))
		return false;
	if (w->html != NULL && (strcmp(w->verb, "report") != 0 || strcmp(w->kind, "weekly") != 0))
		return false;
	return strcmp(w->verb, "export") != 0 || w->x.dir != NULL;
}

static void
print_files(const struct words *w)
{
	const json_t *file;
	size_t i;

	if (w->json) {
		json_t *names = json_array(), *out;

		json_array_foreach(w->x.files, i, file)
		{
			json_array_append(names, json_object_get(file, "name"));
		}
		out = json_pack("{s:s s:o s:I s:I}", "kind", w->kind, "files", names, "rows",
		    (json_int_t)w->x.rows, "ledger_no", (json_int_t)w->x.ledger_no);
		json_dumpf(out, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(out);
		return;
	}
	json_array_foreach(w->x.files, i, file)
	{
		printf("%s/%s\n", w->x.dir, json_string_value(json_object_get(file, "name")));
	}
}

static void
print_report(const struct words *w, const json_t *o)
{
	const json_t *text = json_object_get(o, "text"), *row, *column, *v;
	size_t i, c;

	if (w->json) {
		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		return;
	}
	if (text != NULL) {
		fputs(json_string_value(text), stdout);
		return;
	}
	printf("%s %s\n", json_string_value(json_object_get(o, "title")),
	    json_string_value(json_object_get(o, "note")));
	json_array_foreach(json_object_get(o, "rows"), i, row)
	{
		json_array_foreach(json_object_get(o, "columns"), c, column)
		{
			v = json_object_get(row, json_string_value(column));
			if (c > 1) /* the first two say who */
				printf("%s ", json_string_value(column));
			if (json_is_integer(v))
				printf("%" JSON_INTEGER_FORMAT "  ", json_integer_value(v));
			else
				printf("%s  ", json_is_string(v) ? json_string_value(v) : "-");
		}
		printf("\n");
	}
}

/* A new file of its owner's: an earlier one may have been printed and signed. */
static int
write_html(const struct words *w, const json_t *o, struct err *err)
{
	struct buf text = BUF_INIT;
	int fd, got;

	if (!weekly_html(&text, o, w->team)) {
		buf_done(&text);
		return err_set(err, ERR_NOT_FOUND, "没有这个小组: %s", w->team);
	}
	fd = open(w->html, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		buf_done(&text);
		return errno == EEXIST
		           ? err_set(err, ERR_EXISTS, "%s 已经有了; 换一个名字", w->html)
		           : err_sys(err, "%s", w->html);
	}
	got = file_write_all(fd, buf_span(&text), err);
	if (close(fd) != 0 && got == 0)
		got = err_sys(err, "%s", w->html);
	buf_done(&text);
	return got;
}

static int
run_report(struct words *w, struct err *err)
{
	json_t *o;
	int got = 0;

	if (export_show(&w->x, &o, err) != 0)
		return -1;
	if (w->html == NULL)
		print_report(w, o);
	else if ((got = write_html(w, o, err)) == 0 && !w->json)
		printf("%s\n", w->html);
	json_decref(o);
	return got;
}

static int
run_export(struct words *w, struct err *err)
{
	struct home home;
	struct rds_sync *redis = NULL;
	char conninfo[700];
	name_t campaign;
	int got = -1;

	if (home_load(&home, err) != 0 || home_redis(&home, "dash", &redis, err) != 0)
		return -1;
	home_conninfo(&home, "hf_reconcile", conninfo, sizeof(conninfo));
	if (home_campaign(redis, w->campaign, campaign, err) == 0 &&
	    paydesk_rules(redis, campaign, &w->x.rules, err) == 0 &&
	    pg_open(&w->x.pg, conninfo, err) == 0) {
		w->x.home = &home;
		w->x.campaign = campaign;
		w->x.kind = w->kind;
		if (strcmp(w->verb, "report") == 0)
			got = run_report(w, err);
		else if ((got = export_run(&w->x, err)) == 0)
			print_files(w);
	}
	json_decref(w->x.files);
	names_drop(&w->x);
	pg_close(w->x.pg);
	rds_sync_close(redis);
	return got;
}

static int
exit_code(const struct err *err)
{
	switch (err->code) {
	case ERR_INVALID: return EX_USAGE;
	case ERR_CORRUPT: return EX_DATAERR;
	case ERR_NOT_FOUND: return EX_NOINPUT;
	case ERR_EXISTS: return EX_CANTCREAT;
	case ERR_DENIED: return EX_NOPERM;
	case ERR_IO: return EX_IOERR;
	default: return EX_UNAVAILABLE;
	}
}

int
export_main(int argc, char **argv)
{
	struct words w = {.x = {.as_of = -1, .format = PAGE_XLSX}};
	struct err err = ERR_INIT;
	int got = -1;

	if (!parse(&w, argc, argv)) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	if (crypt_init(&err) == 0)
		got = strcmp(w.verb, "verify") == 0
		          ? manifest_verify(w.kind, w.key, w.archive, stdout, &err)
		          : run_export(&w, &err);
	if (got >= 0)
		return fflush(stdout) == 0 ? got : EX_IOERR;
	fprintf(stderr, "hf-reconcile: %s\n", err.text);
	return exit_code(&err);
}
