/* export_audit.c - who did what: acts, what was put aside, nights, exports; each a sheet of its own.
 *
 * Everything is as of the same row of the ledger: runs and exports count when they were made before that row was the
 * newest, so that the same export made again is the same. Failures: PostgreSQL's, told outward. */
#include <stdio.h>

#include "base/clock.h"
#include "workers/reconciliation/export.h"

struct part {
	const char *file, *sheet, *sql;
	const struct page_column *columns;
	size_t n;
};

#define AT(ms) "to_char(hf.ms(" ms ") AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')"

static const struct page_column acts[] = {{"序号", PAGE_COUNT, 8, 0}, {"时间", PAGE_TEXT, 20, 0},
    {"人员", PAGE_TEXT, 10, 0}, {"操作", PAGE_TEXT, 13, 0}, {"个案", PAGE_TEXT, 34, 0},
    {"对谁", PAGE_TEXT, 10, 0}, {"小组", PAGE_TEXT, 8, 0}, {"角色", PAGE_COUNT, 7, 0},
    {"阶段/轮次", PAGE_COUNT, 9, 0}, {"开/关", PAGE_COUNT, 6, 0}, {"数量", PAGE_COUNT, 7, 0},
    {"行数", PAGE_COUNT, 7, 0}, {"随机种子", PAGE_COUNT, 12, 0}, {"规则版本", PAGE_COUNT, 8, 0},
    {"理由", PAGE_TEXT, 20, 0}, {"事项", PAGE_TEXT, 16, 0}, {"裁定", PAGE_TEXT, 20, 0},
    {"所指记录", PAGE_TEXT, 40, 0}, {"判定", PAGE_TEXT, 6, 0}, {"原因", PAGE_TEXT, 10, 0},
    {"链值", PAGE_TEXT, 66, 0}};
static const char acts_sql[] =
    "SELECT no, " AT("wall_at") ", coalesce(person, ''), kind, encode(case_ref, 'hex'), "
                                "coalesce(subject, to_person), coalesce(team, to_team), roles, n, "
                                "open, count, rows, seed, "
                                "policy, reason, what, ruling, encode(ref_ob, 'hex') || ' ' || "
                                "ref_seq, CASE verdict WHEN 0 "
                                "THEN '有效' WHEN 1 THEN '迟到' ELSE '隔离' END, why, encode(h, "
                                "'hex') FROM hf.ledger WHERE "
                                "campaign = $1 AND no <= $2 AND (kind NOT IN (1, 2, 3, 29) OR kind "
                                "IS NULL) ORDER BY no";

static const struct page_column aside[] = {{"时间", PAGE_TEXT, 20, 0}, {"种类", PAGE_TEXT, 12, 0},
    {"原因", PAGE_TEXT, 14, 0}, {"发件箱", PAGE_TEXT, 34, 0}, {"箱内序号", PAGE_COUNT, 9, 0},
    {"日志", PAGE_TEXT, 16, 0}};
static const char aside_sql[] =
    "SELECT to_char(noted_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'), what, why, "
    "encode(ob, 'hex'), seq, log_epoch || '-' || log_no FROM hf.v_problem WHERE campaign = $1 AND "
    "what <> 'night' AND $2 > 0 AND (log_epoch, log_no) <= (SELECT log_epoch, log_no FROM "
    "hf.ledger WHERE campaign = $1 AND no = $2) ORDER BY log_epoch, log_no, what";

static const struct page_column nights[] = {{"次数", PAGE_COUNT, 7, 0}, {"夜晚", PAGE_TEXT, 12, 0},
    {"结束", PAGE_TEXT, 20, 0}, {"主机", PAGE_TEXT, 14, 0}, {"账本条数", PAGE_COUNT, 9, 0},
    {"档案段", PAGE_COUNT, 8, 0}, {"导入", PAGE_COUNT, 8, 0}, {"不一致", PAGE_COUNT, 8, 0},
    {"注意", PAGE_COUNT, 7, 0}, {"已修正", PAGE_COUNT, 8, 0}};
static const char nights_sql[] =
    "SELECT run, night, to_char(ended_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'), "
    "host, ledger_no, archive_segment, imported, differences, notices, mended FROM hf.check_run "
    "WHERE campaign = $1 AND ledger_no < $2 ORDER BY run";

static const struct page_column exports[] = {{"次数", PAGE_COUNT, 7, 0}, {"时间", PAGE_TEXT, 20, 0},
    {"种类", PAGE_TEXT, 12, 0}, {"账本条数", PAGE_COUNT, 9, 0}, {"遮盖", PAGE_TEXT, 6, 0},
    {"用途", PAGE_TEXT, 24, 0}, {"同意人", PAGE_TEXT, 20, 0}, {"行数", PAGE_COUNT, 8, 0},
    {"清单 SHA-256", PAGE_TEXT, 66, 0}, {"系统用户", PAGE_TEXT, 12, 0}};
static const char exports_sql[] =
    "SELECT n, to_char(made_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'), kind, "
    "ledger_no, CASE WHEN masked THEN '是' ELSE '否' END, purpose, first_person || ' ' || "
    "second_person, row_count, manifest, by_user FROM hf.export_log WHERE campaign = $1 AND "
    "head_no < $2 ORDER BY n";

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))
static const struct part parts[] = {
    {"audit_acts", "操作记录", acts_sql, acts, COUNT(acts)},
    {"audit_aside", "隔离与冲突", aside_sql, aside, COUNT(aside)},
    {"audit_nights", "对账记录", nights_sql, nights, COUNT(nights)},
    {"audit_exports", "导出记录", exports_sql, exports, COUNT(exports)},
};

static int
write_part(struct export *x, const struct part *part, struct err *err)
{
	struct pg_param v[2] = {pg_text(x->campaign), pg_i64(x->ledger_no)};
	struct pg_result *r;
	struct page p;
	int got;

	if (pg_exec(x->pg, part->sql, v, 2, &r, err) != 0)
		return -1;
	page_init(&p, part->file, part->sheet, part->columns, part->n);
	p.made_wall = x->as_of_wall;
	for (int i = 0; i < pg_rows(r); i++) {
		for (int c = 0; c < (int)part->n; c++) {
			if (part->sql == acts_sql && c == 3 && !pg_is_null(r, i, c))
				page_str(&p, zh_kind(pg_get_i64(r, i, c)));
			else
				page_cell(&p, pg_get(r, i, c));
		}
	}
	pg_free(r);
	got = export_page(x, &p, err);
	page_done(&p);
	return got;
}

int
export_audit(struct export *x, struct err *err)
{
	int got = 0;

	for (size_t i = 0; i < COUNT(parts) && got == 0; i++)
		got = write_part(x, &parts[i], err);
	return got;
}
