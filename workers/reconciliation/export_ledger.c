/* export_ledger.c - the whole ledger, row for row, as of a row: what was said, by whom, and its link in the chain.
 *
 * Happy path: pages of rows in order. A case is its reference; names stand there only in an export that is not
 * masked. Failures: PostgreSQL's, told outward. */
#include <stdio.h>

#include "base/clock.h"
#include "workers/reconciliation/export.h"

#define PAGE 10000

static const char sql[] =
    "SELECT no, wall_at, coalesce(person, ''), coalesce(kind, 0), encode(case_ref, 'hex'), "
    "outcome, channel, direction, seconds, spoke, rung, next_do, next_at, decide_by, reason, what, "
    "CASE verdict WHEN 0 THEN '有效' WHEN 1 THEN '迟到' ELSE '隔离' END, coalesce(why, ''), "
    "coalesce(flaw, ''), encode(ob, 'hex'), seq, encode(h, 'hex'), case_ref FROM hf.ledger WHERE "
    "campaign = $1 AND no > $2 AND no <= $3 ORDER BY no LIMIT $4";

enum {
	NO,
	WALL,
	PERSON,
	KIND,
	CASE,
	OUTCOME,
	CHANNEL,
	DIRECTION,
	SECONDS,
	SPOKE,
	RUNG,
	NEXT_DO,
	NEXT_AT,
	DECIDE_BY,
	REASON,
	WHAT,
	VERDICT,
	WHY,
	FLAW,
	OB,
	SEQ,
	H,
	CASE_RAW
};

static const struct page_column columns[] = {{"序号", PAGE_COUNT, 8, 0}, {"时间", PAGE_TEXT, 17, 0},
    {"人员", PAGE_TEXT, 10, 0}, {"类型", PAGE_TEXT, 11, 0}, {"个案", PAGE_TEXT, 34, 0},
    {"结果", PAGE_TEXT, 13, 0}, {"途径", PAGE_TEXT, 7, 0}, {"方向", PAGE_TEXT, 6, 0},
    {"秒", PAGE_COUNT, 6, 0}, {"对象", PAGE_TEXT, 8, 0}, {"第几法", PAGE_COUNT, 7, 0},
    {"下一步", PAGE_TEXT, 16, 0}, {"下次时间", PAGE_TEXT, 17, 0}, {"答复期限", PAGE_TEXT, 17, 0},
    {"理由", PAGE_TEXT, 18, 0}, {"事项", PAGE_TEXT, 14, 0}, {"判定", PAGE_TEXT, 6, 0},
    {"原因", PAGE_TEXT, 10, 0}, {"缺陷", PAGE_TEXT, 10, 0}, {"发件箱", PAGE_TEXT, 34, 0},
    {"箱内序号", PAGE_COUNT, 9, 0}, {"链值", PAGE_TEXT, 66, 0}, {"考生号", PAGE_TEXT, 17, 0},
    {"姓名", PAGE_TEXT, 10, 0}};
#define ALL    (sizeof(columns) / sizeof(columns[0]))
#define MASKED (ALL - 2)

static void
put_word(struct page *p, const struct pg_result *r, int i, int c, const char *zh)
{
	if (zh != NULL)
		page_str(p, zh);
	else
		page_cell(p, pg_get(r, i, c));
}

static void
put_time(struct page *p, const struct pg_result *r, int i, int c)
{
	char text[32] = "";

	if (!pg_is_null(r, i, c) && pg_get_i64(r, i, c) > 0)
		clock_text(text, pg_get_i64(r, i, c));
	page_str(p, text);
}

static void
put_cell(struct page *p, const struct pg_result *r, int i, int c)
{
	struct span v = pg_get(r, i, c);

	switch (c) {
	case WALL:
	case NEXT_AT:
	case DECIDE_BY: put_time(p, r, i, c); return;
	case KIND: page_str(p, zh_kind(pg_get_i64(r, i, c))); return;
	case OUTCOME: put_word(p, r, i, c, zh_outcome(v)); return;
	case CHANNEL: put_word(p, r, i, c, zh_channel(v)); return;
	case SPOKE: put_word(p, r, i, c, zh_spoke(v)); return;
	case DIRECTION:
		put_word(p, r, i, c,
		    span_eq_str(v, "in")    ? "来电"
		    : span_eq_str(v, "out") ? "去电"
		                            : NULL);
		return;
	default: page_cell(p, v); return;
	}
}

static void
put_row(const struct export *x, struct page *p, const struct pg_result *r, int i)
{
	struct name_of n;

	for (int c = NO; c <= H; c++)
		put_cell(p, r, i, c);
	if (!x->unmasked)
		return;
	names_get(x, r, i, CASE_RAW, &n);
	page_str(p, n.no);
	page_str(p, n.name);
}

int
export_ledger(struct export *x, struct err *err)
{
	struct page p;
	int64_t after = 0;
	int rows = 0, got;

	page_init(&p, "ledger", "台账", columns, x->unmasked ? ALL : MASKED);
	p.made_wall = x->as_of_wall;
	do {
		struct pg_param v[4] = {
		    pg_text(x->campaign), pg_i64(after), pg_i64(x->ledger_no), pg_i64(PAGE)};
		struct pg_result *r;

		got = pg_exec(x->pg, sql, v, 4, &r, err);
		if (got != 0)
			break;
		rows = pg_rows(r);
		for (int i = 0; i < rows; i++)
			put_row(x, &p, r, i);
		if (rows > 0)
			after = pg_get_i64(r, rows - 1, NO);
		pg_free(r);
	} while (rows == PAGE);
	if (got == 0)
		got = export_page(x, &p, err);
	page_done(&p);
	return got;
}
