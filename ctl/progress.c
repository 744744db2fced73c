/* progress.c - "写入 [#####.....]  52%  520000/1000000 行  31000 行/秒", written over itself on stderr.
 *
 * Happy path: a step begins, rows pass, the line is cleared at its end. Failures: none; without a terminal it is mute. */
#include "ctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define EVERY_US 100000
#define WIDTH    20

void
progress_begin(struct progress *p, const char *what, size_t total, bool wanted)
{
	*p = (struct progress){.shown = wanted && isatty(STDERR_FILENO) == 1,
	    .what = what,
	    .total = total,
	    .begun_us = clock_boot_us()};
}

void
progress_at(struct progress *p, size_t rows)
{
	char bar[WIDTH + 1] = "";
	int64_t now, took;
	size_t full;

	if (!p->shown || (now = clock_boot_us()) - p->said_us < EVERY_US)
		return;
	p->said_us = now;
	took = now - p->begun_us > 0 ? now - p->begun_us : 1;
	if (p->total == 0) {
		fprintf(stderr, "\r\033[K%s  %zu 行  %jd 行/秒", p->what, rows,
		    (intmax_t)((int64_t)rows * 1000000 / took));
	} else {
		rows = rows < p->total ? rows : p->total;
		full = rows * WIDTH / p->total;
		for (size_t i = 0; i < WIDTH; i++)
			bar[i] = i < full ? '#' : '.';
		fprintf(stderr, "\r\033[K%s [%s] %3zu%%  %zu/%zu 行  %jd 行/秒", p->what, bar,
		    rows * 100 / p->total, rows, p->total,
		    (intmax_t)((int64_t)rows * 1000000 / took));
	}
	fflush(stderr);
}

void
progress_hide(struct progress *p)
{
	if (p->shown && p->said_us != 0)
		fprintf(stderr, "\r\033[K");
}

void
progress_end(struct progress *p)
{
	progress_hide(p);
	p->shown = false;
}
