/* export.c - the frame of every export.
 *
 * Happy path: as of which row of the ledger; may it be shown unmasked; the kind writes its files; the manifest is
 * signed and written last; the export is noted in export_log, and only then is it an export. Failures: the directory
 * holds an export already, nobody approved, a store away: what was begun has no manifest and is worth nothing. */
#include "workers/reconciliation/export.h"

#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/reconciliation/manifest.h"
#include "workers/reconciliation/shelf.h"

#define DAY_MS 86400000LL

static const struct {
	const char *kind;
	export_fn *fn;
	bool asks_unmasked; /* is of no use masked */
	bool is_figures;    /* may be shown as well */
} kinds[] = {
    {"ledger", export_ledger, false, false},
    {"audit", export_audit, false, false},
    {"pay", export_pay, false, false},
    {"daily", export_daily, false, true},
    {"weekly", export_weekly, false, true},
    {"personal", export_personal, false, false},
    {"admission", export_admission, true, false},
    {"withdrawals", export_withdrawals, true, false},
};

/* ---- as of ---- */

static const char as_of_sql[] =
    "SELECT k.ledger_no, coalesce(e.no, 0), coalesce(e.wall_at, 1), coalesce(e.campaign_at, 1), "
    "coalesce(e.log_epoch, 0), coalesce(e.log_no, 0), coalesce((SELECT n.campaign_at - 1 FROM "
    "hf.ledger n WHERE n.campaign = k.campaign AND n.no = e.no + 1), 9000000000000000) FROM "
    "hf.campaign k LEFT JOIN hf.ledger e ON "
    "e.campaign = k.campaign AND e.no = CASE WHEN $2 < 0 THEN k.ledger_no ELSE $2 END WHERE "
    "k.campaign = $1";

static int
find_as_of(struct export *x, struct err *err)
{
	struct pg_param p[2] = {pg_text(x->campaign), pg_i64(x->as_of)};
	int64_t *const fields[] = {&x->head_no, &x->ledger_no, &x->as_of_wall, &x->as_of_at,
	    &x->log_epoch, &x->log_no, &x->as_of_until};
	struct pg_result *r;

	if (pg_exec(x->pg, as_of_sql, p, 2, &r, err) != 0)
		return -1;
	for (int i = 0; i < 7 && pg_rows(r) == 1; i++)
		*fields[i] = pg_get_i64(r, 0, i);
	pg_free(r);
	if (x->as_of >= 0 && x->ledger_no != x->as_of)
		return err_set(err, ERR_INVALID, "--as-of %" PRId64 ": 账本到第 %" PRId64 " 条为止",
		    x->as_of, x->head_no);
	return 0;
}

/* The first segment of the archive that reaches the row: the same one whenever it is looked for. */
struct reach {
	const struct export *x;
	struct shelf_segment found;
};

static int
on_segment(void *arg, const struct shelf_segment *s, const struct log_entry *e, struct err *err)
{
	struct reach *r = arg;

	(void)err;
	if (e == NULL && r->found.number == 0 &&
	    (s->last_epoch > (uint64_t)r->x->log_epoch ||
	        (s->last_epoch == (uint64_t)r->x->log_epoch &&
	            s->last_no >= (uint64_t)r->x->log_no)))
		r->found = *s;
	return 0;
}

static json_t *
archive_json(const struct export *x)
{
	struct reach r = {.x = x};
	char hex[2 * HASH_LEN + 1], log[48];

	if (x->ledger_no == 0 ||
	    shelf_walk(x->home, x->campaign, 1, NULL, on_segment, &r, NULL) != 0 ||
	    r.found.number == 0)
		return json_null();
	hex_encode(hex, r.found.hash, HASH_LEN);
	(void)snprintf(
	    log, sizeof(log), "%" PRIu64 "-%" PRIu64, r.found.last_epoch, r.found.last_no);
	return json_pack(
	    "{s:I s:s s:s}", "segment", (json_int_t)r.found.number, "hash", hex, "log", log);
}

/* ---- who approved ---- */

static const char approval_sql[] =
    "SELECT person, ob, seq, body FROM hf.ledger WHERE campaign = $1 AND kind = 20 AND verdict = 0 "
    "AND flaw IS NULL AND case_ref IS NULL AND ruling = $2 AND wall_at > $3 ORDER BY no DESC";

static bool
same_purpose(const struct export *x, const struct pg_result *r, int i)
{
	struct buf ob = BUF_INIT, body = BUF_INIT, text = BUF_INIT;
	bool ok = pg_get_bytes(r, i, 1, &ob, NULL) == 0 &&
	          pg_get_bytes(r, i, 3, &body, NULL) == 0 && ob.len == 16 &&
	          names_campaign_text(
	              x, ob.data, (uint64_t)pg_get_i64(r, i, 2), buf_span(&body), &text) &&
	          span_eq_str(buf_span(&text), x->purpose);

	buf_done(&ob);
	buf_done(&body);
	buf_done(&text);
	return ok;
}

int
export_approved(struct export *x, struct err *err)
{
	char ruling[40];
	struct pg_param p[3];
	struct pg_result *r;

	if (x->purpose == NULL || x->purpose[0] == '\0')
		return err_set(err, ERR_INVALID, "不遮盖的导出要 --purpose 写明用途");
	(void)snprintf(ruling, sizeof(ruling), "export-%s", x->kind);
	p[0] = pg_text(x->campaign);
	p[1] = pg_text(ruling);
	p[2] = pg_i64(clock_wall_ms() - DAY_MS);
	if (names_load(x, err) != 0 || pg_exec(x->pg, approval_sql, p, 3, &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r) && x->second[0] == '\0'; i++) {
		struct span who = pg_get(r, i, 0);
		char *to = x->first[0] == '\0' ? x->first : x->second;

		if (same_purpose(x, r, i) && !span_eq_str(who, x->first))
			(void)snprintf(
			    to, sizeof(x->first), "%.*s", (int)who.len, (const char *)who.data);
	}
	pg_free(r);
	if (x->second[0] != '\0')
		return 0;
	return err_set(err, ERR_DENIED,
	    "不遮盖的导出要两个人 (数据组, 回访组长) 一天之内同意同一用途: "
	    "hfctl --as 本人 export approve %s --purpose 用途; 已有 %d 人",
	    x->kind, x->first[0] != '\0');
}

/* ---- files ---- */

/* Digits of a count are a number, an empty one is null. */
static json_t *
cell_json(enum page_kind kind, const char *text)
{
	int64_t n;

	if (kind == PAGE_COUNT)
		return text_to_i64(text, strlen(text), &n) ? json_integer((json_int_t)n)
		                                           : json_null();
	return json_string(text);
}

static void
show_page(json_t *o, const struct page *p)
{
	json_t *columns = json_array(), *rows = json_array();
	size_t n = page_rows(p);

	for (size_t c = 0; c < p->n_columns; c++)
		json_array_append_new(columns, json_string(p->columns[c].head));
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_object();

		for (size_t c = 0; c < p->n_columns; c++)
			json_object_set_new(row, p->columns[c].head,
			    cell_json(p->columns[c].kind, p->cells[i * p->n_columns + c]));
		json_array_append_new(rows, row);
	}
	json_object_set_new(o, "title", json_string(p->title != NULL ? p->title : p->sheet));
	json_object_set_new(o, "note", json_string(p->note));
	json_object_set_new(o, "columns", columns);
	json_object_set_new(o, "rows", rows);
}

int
export_page_as(struct export *x, const struct page *p, enum page_format format, struct err *err)
{
	char name[100];
	int64_t rows = (int64_t)page_rows(p);

	if (x->shown != NULL) {
		show_page(x->shown, p);
		return 0;
	}
	(void)snprintf(name, sizeof(name), "%s%s", p->file, page_ending(format));
	if (page_write(p, x->dir, format, err) != 0 ||
	    manifest_add(x->files, x->dir, name, rows, err) != 0)
		return -1;
	x->rows += rows;
	return 0;
}

int
export_page(struct export *x, const struct page *p, struct err *err)
{
	return export_page_as(x, p, x->format, err);
}

int
export_text(struct export *x, const char *name, struct span text, struct err *err)
{
	char path[PATH_MAX];

	if (x->shown != NULL) {
		json_object_set_new(
		    x->shown, "text", json_stringn((const char *)text.data, text.len));
		return 0;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	return file_replace(path, text, 0600, err) != 0 ||
	               manifest_add(x->files, x->dir, name, -1, err) != 0
	           ? -1
	           : 0;
}

/* ---- the end ---- */

static int
note_export(const struct export *x, const char *sha, struct err *err)
{
	const struct passwd *me = getpwuid(getuid());
	struct pg_param p[11] = {pg_text(x->campaign), pg_text(x->kind), pg_i64(x->ledger_no),
	    pg_i64(x->head_no), pg_bool(!x->unmasked), pg_text(x->purpose),
	    pg_text(x->first[0] != '\0' ? x->first : NULL),
	    pg_text(x->second[0] != '\0' ? x->second : NULL), pg_i64(x->rows), pg_text(sha),
	    pg_text(me != NULL ? me->pw_name : "?")};

	return pg_exec(x->pg,
	    "INSERT INTO hf.export_log (campaign, n, kind, ledger_no, head_no, masked, purpose, "
	    "first_person, second_person, row_count, manifest, by_user) SELECT $1, (SELECT "
	    "coalesce(max(n), 0) + 1 FROM hf.export_log WHERE campaign = $1), $2, $3, $4, $5, $6, "
	    "$7, "
	    "$8, $9, $10, $11",
	    p, 11, NULL, err);
}

static int
finish(struct export *x, struct err *err)
{
	json_t *approved = json_array(), *m;
	char sha[65], when[40], path[PATH_MAX];
	int got;

	if (x->second[0] != '\0') {
		json_array_append_new(approved, json_string(x->first));
		json_array_append_new(approved, json_string(x->second));
	}
	clock_rfc3339(when, x->as_of_wall);
	m = json_pack("{s:s s:s s:I s:s s:b s:s? s:o s:o s:O}", "campaign", x->campaign, "kind",
	    x->kind, "ledger_no", (json_int_t)x->ledger_no, "as_of", when, "masked",
	    (int)!x->unmasked, "purpose", x->purpose, "approved_by", approved, "archive",
	    archive_json(x), "files", x->files);
	got = manifest_write(x->home, x->dir, m, sha, err);
	json_decref(m);
	if (got == 0 && note_export(x, sha, err) != 0) {
		(void)snprintf(path, sizeof(path), "%s/" MANIFEST_NAME, x->dir);
		(void)unlink(path); /* what is not noted was not exported */
		got = -1;
	}
	return got;
}

static int
make(struct export *x, export_fn *fn, struct err *err)
{
	char path[PATH_MAX];
	int got;

	(void)snprintf(path, sizeof(path), "%s/" MANIFEST_NAME, x->dir);
	if (access(path, F_OK) == 0)
		return err_set(
		    err, ERR_EXISTS, "%s 里已有一份导出 (%s); 请换一个目录", x->dir, MANIFEST_NAME);
	if (find_as_of(x, err) != 0 || (x->unmasked && export_approved(x, err) != 0) ||
	    file_mkdirs(x->dir, 0700, err) != 0)
		return -1;
	x->files = json_array();
	got = fn(x, err);
	if (got == 0)
		got = finish(x, err);
	return got;
}

int
export_run(struct export *x, struct err *err)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].kind, x->kind) != 0)
			continue;
		if (kinds[i].asks_unmasked && !x->unmasked)
			return err_set(
			    err, ERR_INVALID, "export %s 要 --unmasked 和 --purpose", x->kind);
		return make(x, kinds[i].fn, err);
	}
	return err_set(err, ERR_INVALID, "没有这种导出: %s", x->kind);
}

int
export_show(struct export *x, json_t **ret, struct err *err)
{
	char when[40];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!kinds[i].is_figures || strcmp(kinds[i].kind, x->kind) != 0)
			continue;
		if (find_as_of(x, err) != 0)
			return -1;
		clock_rfc3339(when, x->as_of_wall);
		x->shown = json_pack("{s:s s:I s:s}", "kind", x->kind, "ledger_no",
		    (json_int_t)x->ledger_no, "as_of", when);
		if (kinds[i].fn(x, err) != 0) {
			json_decref(x->shown);
			return -1;
		}
		*ret = x->shown;
		return 0;
	}
	return err_set(err, ERR_INVALID, "没有这种报表: %s (daily 战报, weekly 周报)", x->kind);
}
