/* export_cases.c - sheets with a row a case: a person's own ledger, and what goes to the examination authority.
 *
 * Happy path: SQL gives the cases, the key store their names; sorted by 考生号, so that the order says nothing.
 * Failures: the stores; a text that does not fit its field of the DBF (nothing is cut in silence). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "workers/link/evidence.h"
#include "workers/reconciliation/export.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static void
put_day(struct page *p, const struct pg_result *r, int i, int c)
{
	char text[32] = "";

	if (!pg_is_null(r, i, c))
		clock_text(text, pg_get_i64(r, i, c));
	page_str(p, text);
}

/* ---- a person's own ---- */

static const struct page_column personal[] = {{"考生号", PAGE_TEXT, 17, 0},
    {"姓名", PAGE_TEXT, 10, 0}, {"首次日期", PAGE_TEXT, 17, 0}, {"最近日期", PAGE_TEXT, 17, 0},
    {"次数", PAGE_COUNT, 6, 0}, {"联系", PAGE_COUNT, 6, 0}, {"总时长(分)", PAGE_COUNT, 10, 0},
    {"途径", PAGE_TEXT, 14, 0}, {"结果", PAGE_TEXT, 14, 0}, {"现在", PAGE_TEXT, 12, 0}};

static const char personal_sql[] =
    "SELECT f.case_ref, min(c.campaign_at), max(c.campaign_at), f.attempts, f.contacts, f.seconds "
    "/ "
    "60, coalesce(string_agg(DISTINCT c.channel, ' '), ''), coalesce(f.last_outcome, ''), CASE "
    "WHEN "
    "f.withdrawn THEN '已退档' WHEN f.registered THEN '已报到' WHEN f.lane = 'resting' THEN '休眠' "
    "WHEN f.lane LIKE 'own:%' THEN '在名单' WHEN f.lane LIKE 'team:%' THEN '组长处' WHEN f.lane = "
    "'strike' THEN '突击组' WHEN f.lane = 'papers' THEN '材料' ELSE f.lane END FROM "
    "hf.figures_then($1, $2, $3) f LEFT JOIN hf.v_contact c ON c.campaign = $1 AND c.case_ref = "
    "f.case_ref AND c.no <= $2 WHERE f.owner = $4 GROUP BY f.case_ref, f.attempts, f.contacts, "
    "f.seconds, f.last_outcome, f.withdrawn, f.registered, f.lane ORDER BY f.case_ref";

/* "phone wechat" word by word. */
static void
put_channels(struct page *p, struct span codes)
{
	struct buf text = BUF_INIT;

	while (codes.len > 0) {
		const uint8_t *blank = memchr(codes.data, ' ', codes.len);
		size_t n = blank == NULL ? codes.len : (size_t)(blank - codes.data);
		const char *zh = zh_channel(span_of(codes.data, n));

		if (text.len > 0)
			buf_addc(&text, ' ');
		if (zh != NULL)
			buf_adds(&text, zh);
		else
			buf_add(&text, codes.data, n);
		n += blank != NULL;
		codes = span_of(codes.data + n, codes.len - n);
	}
	page_cell(p, buf_span(&text));
	buf_done(&text);
}

static void
personal_row(const struct export *x, struct page *p, const struct pg_result *r, int i)
{
	struct name_of n;
	const char *zh = zh_outcome(pg_get(r, i, 7));

	names_get(x, r, i, 0, &n);
	page_str(p, n.no);
	page_str(p, n.name);
	put_day(p, r, i, 1);
	put_day(p, r, i, 2);
	for (int c = 3; c <= 5; c++)
		page_cell(p, pg_get(r, i, c));
	put_channels(p, pg_get(r, i, 6));
	if (zh != NULL)
		page_str(p, zh);
	else
		page_cell(p, pg_get(r, i, 7));
	page_cell(p, pg_get(r, i, 8));
}

int
export_personal(struct export *x, struct err *err)
{
	struct pg_param v[4] = {
	    pg_text(x->campaign), pg_i64(x->ledger_no), pg_i64(x->as_of_until), pg_text(x->person)};
	struct pg_result *r;
	struct page p;
	int got;

	if (x->person == NULL)
		return err_set(err, ERR_INVALID, "export personal 要 --person 工号");
	if (names_load(x, err) != 0 || pg_exec(x->pg, personal_sql, v, 4, &r, err) != 0)
		return -1;
	page_init(&p, "personal", "个人台账", personal, COUNT(personal));
	p.made_wall = x->as_of_wall;
	p.title = "个人台账";
	p.sign = "本人签字: ______________    日期: ______________";
	(void)snprintf(
	    p.note, sizeof(p.note), "%.40s; 账本第 %jd 条为止", x->person, (intmax_t)x->ledger_no);
	for (int i = 0; i < pg_rows(r); i++)
		personal_row(x, &p, r, i);
	pg_free(r);
	page_sort(&p);
	got = export_page(x, &p, err);
	page_done(&p);
	return got;
}

/* ---- the authority ---- */

static const struct page_column admission[] = {{"考生号", PAGE_TEXT, 17, 20},
    {"姓名", PAGE_TEXT, 12, 64}, {"专业", PAGE_TEXT, 28, 100}, {"BZ", PAGE_TEXT, 5, 1}};

static const struct page_column withdrawals[] = {{"考生号", PAGE_TEXT, 17, 20},
    {"姓名", PAGE_TEXT, 12, 64}, {"专业", PAGE_TEXT, 28, 100}, {"照片", PAGE_TEXT, 40, 120},
    {"附上", PAGE_TEXT, 6, 2}, {"照片哈希", PAGE_TEXT, 66, 64}};

static const char admission_sql[] = "SELECT case_ref, withdrawn FROM hf.figures_then($1, $2, $3) "
                                    "WHERE lane <> 'unreleased' ORDER BY case_ref";

/* The picture of the papers is in the newest record that has one. */
static const char withdrawals_sql[] =
    "SELECT f.case_ref, coalesce((SELECT encode(e.evidence[1], 'hex') FROM hf.ledger e WHERE "
    "e.campaign = $1 AND e.case_ref = f.case_ref AND e.kind = 4 AND e.no <= $2 AND e.verdict = 0 "
    "AND "
    "e.flaw IS NULL AND cardinality(e.evidence) > 0 ORDER BY e.no DESC LIMIT 1), '') FROM "
    "hf.figures_then($1, $2, $3) f WHERE f.withdrawn ORDER BY f.case_ref";

static int
admission_row(struct export *x, struct page *p, const struct pg_result *r, int i, struct err *err)
{
	struct name_of n;

	(void)err;
	names_get(x, r, i, 0, &n);
	page_str(p, n.no);
	page_str(p, n.name);
	page_str(p, n.major);
	page_str(p, span_eq_str(pg_get(r, i, 1), "t") ? "T" : "L");
	return 0;
}

/* A name in a file's name: nothing that leads elsewhere. */
static void
no_slashes(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '/' || *text == '\\' || (unsigned char)*text < 0x20)
			*text = '_';
	}
}

/* The photo beside the list, when it is in the archive. */
static int
put_photo(struct export *x, const struct pg_result *r, int i, const struct name_of *n,
    char photo[240], bool *ret_there, struct err *err)
{
	struct buf plain = BUF_INIT;
	const char *type = "jpg";
	int got = 0;

	*ret_there = x->unmasked && names_evidence(x, r, i, 0, pg_get(r, i, 1), &plain, NULL) == 0;
	if (*ret_there && evidence_type(buf_span(&plain)) != NULL)
		type = evidence_type(buf_span(&plain));
	(void)snprintf(photo, 240, "%s_%s_退档.%s", n->no, n->name, type);
	no_slashes(photo);
	if (*ret_there)
		got = export_text(x, photo, buf_span(&plain), err);
	buf_done(&plain);
	return got;
}

static int
withdrawals_row(struct export *x, struct page *p, const struct pg_result *r, int i, struct err *err)
{
	struct name_of n;
	char photo[240];
	bool there;

	names_get(x, r, i, 0, &n);
	if (put_photo(x, r, i, &n, photo, &there, err) != 0)
		return -1;
	page_str(p, n.no);
	page_str(p, n.name);
	page_str(p, n.major);
	page_str(p, photo);
	page_str(p, there ? "是" : "缺");
	page_cell(p, pg_get(r, i, 1));
	return 0;
}

typedef int row_fn(
    struct export *x, struct page *p, const struct pg_result *r, int i, struct err *err);

/* As a workbook for people and as a table for the authority's program. */
static int
both(struct export *x, struct page *p, const char *sql, row_fn *row, struct err *err)
{
	struct pg_param v[3] = {pg_text(x->campaign), pg_i64(x->ledger_no), pg_i64(x->as_of_until)};
	struct pg_result *r;
	int got = 0;

	if (names_load(x, err) != 0 || pg_exec(x->pg, sql, v, 3, &r, err) != 0)
		return -1;
	p->made_wall = x->as_of_wall;
	for (int i = 0; i < pg_rows(r) && got == 0; i++)
		got = row(x, p, r, i, err);
	pg_free(r);
	if (got != 0)
		return -1;
	page_sort(p);
	got = export_page(x, p, err);
	if (got == 0)
		got = export_page_as(x, p, PAGE_DBF, err);
	return got;
}

int
export_admission(struct export *x, struct err *err)
{
	struct page p;
	int got;

	page_init(&p, "admission", "录取", admission, COUNT(admission));
	got = both(x, &p, admission_sql, admission_row, err);
	page_done(&p);
	return got;
}

int
export_withdrawals(struct export *x, struct err *err)
{
	struct page p;
	int got;

	page_init(&p, "withdrawals", "退档", withdrawals, COUNT(withdrawals));
	got = both(x, &p, withdrawals_sql, withdrawals_row, err);
	page_done(&p);
	return got;
}
