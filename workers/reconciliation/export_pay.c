/* export_pay.c - the pay book with a manifest. While the two computations differ, nothing to sign comes out. */
#include <limits.h>
#include <stdio.h>

#include "workers/reconciliation/export.h"
#include "workers/reconciliation/manifest.h"
#include "workers/reconciliation/paybook.h"
#include "workers/reconciliation/sheet.h"

/* The newest row is read as it stands, an earlier one from the records up to it. */
static int
read_sheet(struct export *x, json_t **ret, struct err *err)
{
	struct past past;
	int got;

	if (x->ledger_no == x->head_no)
		return sheet_read(x->pg, x->campaign, &x->rules, NULL, -1, ret, err);
	if (past_read_row(
	        &past, x->pg, x->home->keys, x->campaign, x->ledger_no, x->as_of_at, err) != 0)
		return -1;
	got = sheet_read(x->pg, x->campaign, &x->rules, &past, -1, ret, err);
	past_done(&past);
	return got;
}

int
export_pay(struct export *x, struct err *err)
{
	char path[PATH_MAX];
	json_t *sheet;
	int64_t rows;
	int got;

	if (x->format != PAGE_XLSX)
		return err_set(err, ERR_INVALID, "export pay 只有 XLSX: 里面有可重算的公式");
	if (read_sheet(x, &sheet, err) != 0)
		return -1;
	rows = (int64_t)json_array_size(json_object_get(sheet, "rows"));
	json_object_set_new(sheet, "as_of_wall", json_integer(x->as_of_wall));
	(void)snprintf(path, sizeof(path), "%s/pay.xlsx", x->dir);
	if (json_array_size(json_object_get(sheet, "differences")) > 0) {
		fprintf(
		    stderr, "两次计算不一致, 没有导出: hfctl pay show 逐条列出; 发放前请查明\n");
		got = 1;
	} else {
		got = paybook_write(path, sheet, err);
	}
	if (got == 0)
		got = manifest_add(x->files, x->dir, "pay.xlsx", rows, err);
	if (got == 0)
		x->rows += rows;
	json_decref(sheet);
	return got;
}
