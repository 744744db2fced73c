/* weekly_html.c - decides what stands on the weekly sheet that is printed, and in which order.
 *
 * Happy path: the head's page has the campaign's sums, the teams by what is still missing (never by rate, which before
 * the freeze would reward talking people out), and withdrawals beside the rate; a leader's page has the team's persons,
 * room for the week in own words, and a line to sign. Failures: a team that there is not. */
#include "workers/reconciliation/weekly_html.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define TEAM  "小组"
#define WHO   "人员"
#define WHOLE "合计"
#define SUM   "全组"
#define NEED  "还差93%"

static const char head[] =
    "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<title>回访周报"
    "</title>\n<style>\n"
    "@page { size: A4 landscape; margin: 12mm 12mm 10mm; }\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0 auto; max-width: 272mm; font: 10pt/1.35 \"Noto Sans CJK SC\", \"Microsoft "
    "YaHei\", \"WenQuanYi Micro Hei\", sans-serif; color: #000; }\n"
    "section { break-after: page; padding: 4mm 0; }\n"
    "section:last-of-type { break-after: auto; }\n"
    "h1 { margin: 0 0 1mm; font-size: 18pt; }\n"
    ".note { margin: 0 0 4mm; font-size: 9pt; }\n"
    ".sums { display: grid; grid-template-columns: repeat(8, 1fr); gap: 2mm; margin: 0 0 4mm; "
    "padding: 0; list-style: none; }\n"
    ".sums li { padding: 1.5mm 2mm; border: 0.3mm solid #666; }\n"
    ".sums b { display: block; font-size: 15pt; line-height: 1.15; }\n"
    "table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: 1mm 1.2mm; border: 0.2mm solid #666; text-align: right; }\n"
    "th { font-weight: 700; background: #eee; print-color-adjust: exact; "
    "-webkit-print-color-adjust: exact; }\n"
    "th.t, td.t { text-align: left; overflow-wrap: anywhere; }\n"
    "tr { break-inside: avoid; }\nthead { display: table-header-group; }\n"
    "tr.sum td { font-weight: 700; border-top: 0.5mm solid #000; }\n"
    ".words { margin: 4mm 0 0; padding: 1.5mm 2mm; height: 34mm; border: 0.3mm solid #666; }\n"
    ".sign { display: flex; justify-content: space-between; margin: 8mm 0 0; }\n"
    "@media screen { section { margin: 6mm; padding: 8mm; border: 0.3mm solid #bbb; } }\n"
    "</style>\n</head>\n<body>\n";

static void
add_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '<': buf_adds(out, "&lt;"); break;
		case '>': buf_adds(out, "&gt;"); break;
		case '&': buf_adds(out, "&amp;"); break;
		case '"': buf_adds(out, "&quot;"); break;
		default: buf_addc(out, *text);
		}
}

static const char *
word(const json_t *row, const char *column)
{
	const char *s = json_string_value(json_object_get(row, column));

	return s != NULL ? s : "";
}

static void
add_cell(struct buf *out, const json_t *row, const char *column)
{
	const json_t *v = json_object_get(row, column);

	if (json_is_integer(v))
		buf_addf(out, "<td>%" JSON_INTEGER_FORMAT "</td>", json_integer_value(v));
	else if (strcmp(column, TEAM) == 0 || strcmp(column, WHO) == 0) {
		buf_adds(out, "<td class=\"t\">");
		add_text(out, word(row, column)[0] != '\0' ? word(row, column) : word(row, WHO));
		buf_adds(out, "</td>");
	} else {
		buf_adds(out, "<td>");
		add_text(out, word(row, column)[0] != '\0' ? word(row, column) : "—");
		buf_adds(out, "</td>");
	}
}

/* All columns but the one that says the same in every row. */
static void
add_row(struct buf *out, const json_t *columns, const json_t *row, const char *without, bool is_sum)
{
	const json_t *column;
	size_t i;

	buf_adds(out, is_sum ? "<tr class=\"sum\">" : "<tr>");
	json_array_foreach(columns, i, column)
	{
		if (strcmp(json_string_value(column), without) != 0)
			add_cell(out, row, json_string_value(column));
	}
	buf_adds(out, "</tr>\n");
}

static void
begin_table(struct buf *out, const json_t *columns, const char *without)
{
	const json_t *column;
	size_t i;

	buf_adds(out, "<table>\n<thead><tr>");
	json_array_foreach(columns, i, column)
	{
		const char *name = json_string_value(column);

		if (strcmp(name, without) == 0)
			continue;
		buf_adds(out, strcmp(name, TEAM) == 0 || strcmp(name, WHO) == 0
		                  ? "<th class=\"t\" scope=\"col\">"
		                  : "<th scope=\"col\">");
		add_text(out, name);
		buf_adds(out, "</th>");
	}
	buf_adds(out, "</tr></thead>\n<tbody>\n");
}

static void
begin_page(struct buf *out, const json_t *report, const char *of)
{
	buf_adds(out, "<section>\n<h1>");
	add_text(out, word(report, "title"));
	if (of != NULL) {
		buf_adds(out, " · ");
		add_text(out, of);
	}
	buf_adds(out, "</h1>\n<p class=\"note\">");
	add_text(out, word(report, "note"));
	buf_adds(out, "</p>\n");
}

static void
add_sums(struct buf *out, const json_t *row)
{
	static const char *const shown[] = {"个案", "已打", "确认", "考虑", "失联", "退档", "录取",
	    "报到", "报到率%", NEED, "还差95%", "本周拨打", "本周联系", "本周分钟", "本周确认"};

	buf_adds(out, "<ul class=\"sums\">\n");
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const json_t *v = json_object_get(row, shown[i]);

		buf_adds(out, "<li><b>");
		if (json_is_integer(v))
			buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		else
			add_text(out, word(row, shown[i])[0] != '\0' ? word(row, shown[i]) : "—");
		buf_adds(out, "</b>");
		add_text(out, shown[i]);
		buf_adds(out, "</li>\n");
	}
	buf_adds(out, "</ul>\n");
}

static bool
is_row(const json_t *row, const char *team, const char *who)
{
	return (team == NULL || strcmp(word(row, TEAM), team) == 0) &&
	       (who == NULL || strcmp(word(row, WHO), who) == 0);
}

/* Most missing first; of the same, as they came. */
static int
by_need(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	json_int_t p = json_integer_value(json_object_get(x, NEED)),
	           q = json_integer_value(json_object_get(y, NEED));

	return p != q ? (p < q ? 1 : -1) : strcmp(word(x, TEAM), word(y, TEAM));
}

static void
head_page(struct buf *out, const json_t *report, const json_t *columns, const json_t *rows)
{
	const json_t **teams = xcalloc(json_array_size(rows) + 1, sizeof(*teams)), *row,
	             *whole = NULL;
	size_t n = 0, i;

	json_array_foreach(rows, i, row)
	{
		if (is_row(row, WHOLE, NULL))
			whole = row;
		else if (is_row(row, NULL, SUM) || is_row(row, "", NULL))
			teams[n++] = row;
	}
	qsort(teams, n, sizeof(*teams), by_need);
	begin_page(out, report, NULL);
	if (whole != NULL)
		add_sums(out, whole);
	begin_table(out, columns, WHO);
	for (i = 0; i < n; i++)
		add_row(out, columns, teams[i], WHO, false);
	if (whole != NULL)
		add_row(out, columns, whole, WHO, true);
	buf_adds(out,
	    "</tbody>\n</table>\n<p class=\"sign\"><span>回访组长签字: ______________</span>"
	    "<span>领导小组签字: ______________</span><span>日期: ______________</span></p>\n"
	    "</section>\n");
	free(teams);
}

static void
team_page(struct buf *out, const json_t *report, const json_t *columns, const json_t *rows,
    const json_t *sum)
{
	const char *team = word(sum, TEAM);
	const json_t *row;
	size_t i;

	begin_page(out, report, team);
	begin_table(out, columns, TEAM);
	json_array_foreach(rows, i, row)
	{
		if (is_row(row, team, NULL) && row != sum)
			add_row(out, columns, row, TEAM, false);
	}
	add_row(out, columns, sum, TEAM, true);
	buf_adds(out,
	    "</tbody>\n</table>\n<p class=\"words\">本周动态 (考生去向、难点、下周打算):</p>\n"
	    "<p class=\"sign\"><span>组长签字: ______________</span><span>回访组长签字: "
	    "______________</span><span>日期: ______________</span></p>\n</section>\n");
}

bool
weekly_html(struct buf *out, const json_t *report, const char *team)
{
	const json_t *columns = json_object_get(report, "columns"),
	             *rows = json_object_get(report, "rows"), *row;
	bool found = team == NULL;
	size_t i;

	buf_adds(out, head);
	if (team == NULL)
		head_page(out, report, columns, rows);
	json_array_foreach(rows, i, row)
	{
		if (!is_row(row, team, SUM))
			continue;
		team_page(out, report, columns, rows, row);
		found = true;
	}
	buf_adds(out, "</body>\n</html>\n");
	return found;
}
