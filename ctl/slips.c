/* slips.c - decides what stands on a slip: 48 on a sheet of A4, four beside each other, cut along the lines.
 *
 * Happy path: name and id in print, the PIN, and a QR code that opens the office with the id filled in. The PIN is
 * not in the code: a code is photographed sooner than a line is read. Failures: an address that is too long. */
#include "ctl/slips.h"

#include <string.h>

#include "base/qr.h"

#define A_SHEET 48

static const char head[] =
    "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta "
    "charset=\"utf-8\">\n<title>登录条</title>\n<style>\n"
    "@page { size: A4 portrait; margin: 5mm 6mm; }\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0; font: 8pt/1.15 \"Noto Sans CJK SC\", \"Microsoft YaHei\", \"WenQuanYi Micro "
    "Hei\", sans-serif; "
    "color: #000; }\n"
    ".note { padding: 4mm; font-size: 12pt; }\n"
    ".sheet { display: grid; grid-template-columns: repeat(4, 49mm); grid-auto-rows: 23.5mm; "
    "break-after: page; }\n"
    ".sheet:last-child { break-after: auto; }\n"
    ".slip { display: grid; grid-template-columns: 20mm 1fr; gap: 1mm; align-items: center; "
    "padding: 1mm; "
    "border: 0.2mm dashed #888; overflow: hidden; }\n"
    ".qr { width: 20mm; height: 20mm; }\n"
    ".slip p { margin: 0; overflow-wrap: anywhere; }\n"
    ".who { font-size: 10pt; font-weight: 700; }\n"
    ".soft { font-size: 6pt; }\n"
    ".pin { font: 700 11pt/1.15 ui-monospace, Consolas, \"DejaVu Sans Mono\", monospace; }\n"
    "@media print { .note { display: none; } }\n"
    "</style>\n</head>\n<body>\n"
    "<p class=\"note\">口令只在这一页上。打印、裁开、当面交给本人，然后删掉这个文件。A4，比例 "
    "100%，每页 48 张。</p>\n";

static void
add_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<': buf_adds(out, "&lt;"); break;
		case '&': buf_adds(out, "&amp;"); break;
		case '"': buf_adds(out, "&quot;"); break;
		default: buf_addc(out, *text);
		}
	}
}

static void
add_line(struct buf *out, const char *class, const char *label, const char *text)
{
	buf_addf(out, "<p class=\"%s\">%s", class, label);
	add_escaped(out, text);
	buf_adds(out, "</p>");
}

static int
add_slip(
    struct buf *out, const char *campaign, const char *url, const struct slip *s, struct err *err)
{
	struct buf code = BUF_INIT;
	int got;

	buf_addf(&code, "%s/#%s", url, s->person);
	buf_adds(out, "<div class=\"slip\">");
	got = qr_svg(out, (char *)code.data, err);
	buf_adds(out, "<div>");
	add_line(out, "who", "", s->name[0] != '\0' ? s->name : s->person);
	buf_addf(out, "<p class=\"soft\">%s", campaign);
	if (s->team[0] != '\0')
		buf_addf(out, " %s", s->team);
	buf_addf(out, " %s</p>", s->roles);
	add_line(out, "", "工号 ", s->person);
	add_line(out, "pin", "", s->pin);
	add_line(out, "soft", "", url);
	buf_adds(out, "</div></div>\n");
	buf_done(&code);
	return got;
}

int
slips_page(struct buf *out, const char *campaign, const char *url, const struct slip *slips,
    size_t n, struct err *err)
{
	buf_adds(out, head);
	for (size_t i = 0; i < n; i++) {
		if (i % A_SHEET == 0)
			buf_adds(out, "<div class=\"sheet\">\n");
		if (add_slip(out, campaign, url, &slips[i], err) != 0)
			return -1;
		if (i % A_SHEET == A_SHEET - 1 || i + 1 == n)
			buf_adds(out, "</div>\n");
	}
	buf_adds(out, "</body>\n</html>\n");
	return 0;
}
