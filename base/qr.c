/* qr.c - decides how a QR code is drawn: one path, a run of dark modules a rectangle.
 *
 * Happy path: level M, the smallest version that holds the text. Failures: a text that is empty or too long. */
#include "base/qr.h"

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#define QUIET 4

static void
draw(struct buf *out, const QRcode *q)
{
	int w = q->width;

	buf_addf(out,
	    "<svg class=\"qr\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
	    "shape-rendering=\"crispEdges\"><path d=\"",
	    w + 2 * QUIET, w + 2 * QUIET);
	for (int y = 0; y < w; y++) {
		for (int x = 0; x < w; x++) {
			int from = x;

			while (x < w && (q->data[y * w + x] & 1) != 0)
				x++;
			if (x > from)
				buf_addf(out, "M%d %dh%dv1h-%dz", from + QUIET, y + QUIET, x - from,
				    x - from);
		}
	}
	buf_adds(out, "\"/></svg>");
}

int
qr_svg(struct buf *out, const char *text, struct err *err)
{
	size_t n = strlen(text);
	QRcode *q;

	if (n == 0 || n > 500)
		return err_set(err, ERR_INVALID, "a QR code holds 1 to 500 bytes, not %zu", n);
	q = QRcode_encodeData((int)n, (const unsigned char *)text, 0, QR_ECLEVEL_M);
	if (q == NULL)
		return err_sys(err, "QR code of %zu bytes", n);
	draw(out, q);
	QRcode_free(q);
	return 0;
}
