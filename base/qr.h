/* qr.h - a text as a QR code, drawn as SVG: the only place that knows libqrencode. */
#ifndef BASE_QR_H
#define BASE_QR_H

#include "base/buf.h"
#include "base/err.h"

/* Appends <svg class="qr">…</svg> with a quiet zone of four modules. text: 1 to 500 bytes. */
int qr_svg(struct buf *out, const char *text, struct err *err);

#endif
