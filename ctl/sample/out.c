/* Chooses the writer. DBF field names are the authorities' short ones where there are such; they
 * hold ten bytes. */
#include "ctl/sample/out.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "workers/link/dbf_out.h"
#include "ctl/import/sheet_out.h"

struct out {
	size_t n;
	struct sheet_out *sheet;
	struct dbf_out *table;
};

static const char *const words[] = {"xlsx", "csv", "csv-nobom", "csv-gb18030", "dbf"};

static const struct {
	const char *header, *field;
	int width;
} fields[] = {
    {"考生号", "KSH", 40},
    {"姓名", "XM", 40},
    {"性别", "XB", 6},
    {"身份证号", "SFZH", 40},
    {"省份", "SFMC", 24},
    {"地区", "DQMC", 40},
    {"城乡", "CXMC", 8},
    {"中学", "ZXMC", 60},
    {"志愿序号", "ZYXH", 8},
    {"预录专业", "LQZYMC", 60},
    {"通知书地址", "通知书地址", 160},
    {"本人电话", "LXDH", 80},
    {"父亲电话", "FQDH", 60},
    {"母亲电话", "MQDH", 60},
    {"其他电话", "QTDH", 60},
    {"报备人", "BBR", 32},
    {"批次", "PCMC", 20},
};

int
out_format_of(const char *word, enum out_format *ret)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum out_format)i;
			return 0;
		}
	return -1;
}

const char *
out_format_word(enum out_format format)
{
	return words[format];
}

static struct dbf_field
field_of(const char *header)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].header, header) == 0)
			return (struct dbf_field){fields[i].field, fields[i].width};
	return (struct dbf_field){header, 60};
}

static int
open_table(struct out *o, const char *path, const char *const *headers, struct err *err)
{
	struct dbf_field all[OUT_COLUMNS];

	for (size_t i = 0; i < o->n; i++)
		all[i] = field_of(headers[i]);
	return dbf_out_open(&o->table, path, all, o->n, err);
}

static int
open_sheet(struct out *o, const char *path, enum out_format format, const char *const *headers,
    struct err *err)
{
	static const unsigned flags[] = {
	    [OUT_CSV] = SHEET_OUT_BOM, [OUT_CSV_GB18030] = SHEET_OUT_GB18030};
	struct span names[OUT_COLUMNS];

	if (sheet_out_open(&o->sheet, path, format == OUT_XLSX ? SHEET_OUT_XLSX : SHEET_OUT_CSV,
	        flags[format], err) != 0)
		return -1;
	for (size_t i = 0; i < o->n; i++)
		names[i] = span_str(headers[i]);
	if (out_row(o, names, err) == 0)
		return 0;
	sheet_out_abort(o->sheet);
	return -1;
}

int
out_open(struct out **ret, const char *path, enum out_format format, const char *const *headers,
    size_t n, struct err *err)
{
	struct out *o = xcalloc(1, sizeof(*o));
	int rc;

	CHECK(n <= OUT_COLUMNS);
	o->n = n;
	rc = format == OUT_DBF ? open_table(o, path, headers, err)
	                       : open_sheet(o, path, format, headers, err);
	if (rc != 0)
		free(o);
	else
		*ret = o;
	return rc;
}

int
out_row(struct out *o, const struct span *cells, struct err *err)
{
	if (o->table != NULL)
		return dbf_out_row(o->table, cells, o->n, err);
	return sheet_out_row(o->sheet, cells, o->n, err);
}

int
out_close(struct out *o, struct err *err)
{
	int rc = o->table != NULL ? dbf_out_close(o->table, err) : sheet_out_close(o->sheet, err);

	free(o);
	return rc;
}
