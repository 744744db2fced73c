/* lines.c - bytes in, lines to the desk; objects from the desk, bytes out; and how it ends.
 *
 * Happy path: what stdin brings in a turn is read, each line is a command, the answers are written as
 * fast as the reader takes them. Failures: a line that is too long is refused and passed over; a
 * reader who is slow slows only the reading of commands; a reader who left ends us, records kept.
 * At the end of stdin we wait for accepts and answers that are still out, with a limit. */
#include "workers/caller/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "workers/caller/desk.h"

#define LINE_MAX_BYTES 65536
#define READ_BYTES     65536
#define OUTPUT_MAX     (4u << 20) /* no command is read while so much waits to be written */
#define WRITE_BYTES    4096       /* what a pipe takes without blocking when poll says so */
#define END_LOOK_US    20000

struct lines {
	struct lines_opts o;
	struct desk *desk;
	struct loop_io *in, *out;
	struct loop_timer *linger, *look;
	struct buf input, output;
	bool skipping; /* the rest of a line that is too long */
	bool ended;    /* nothing more is read */
	bool broken;   /* nobody reads what we write */
	int exit_code;
};

/* ---- out ----------------------------------------------------------------------------------------- */

static bool
can_write(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, wait_ms) > 0 && (p.revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
}

static void
reader_left(struct lines *l)
{
	l->broken = true;
	l->exit_code = EX_IOERR;
	buf_clear(&l->output);
	lines_end(l);
}

static void
flush(struct lines *l, int wait_ms)
{
	while (l->output.len > 0 && can_write(l->o.out, wait_ms)) {
		size_t want = l->output.len < WRITE_BYTES ? l->output.len : WRITE_BYTES;
		ssize_t n = write(l->o.out, l->output.data, want);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			reader_left(l);
			break;
		}
		crypt_wipe(l->output.data, (size_t)n);
		buf_drop_front(&l->output, (size_t)n);
	}
	loop_io_set(l->out, l->output.len > 0 ? LOOP_WRITE : 0);
	if (!l->ended)
		loop_io_set(l->in, l->output.len < OUTPUT_MAX ? LOOP_READ : 0);
}

static void
on_writable(void *arg, int events)
{
	(void)events;
	flush(arg, 0);
}

static void
on_say(void *arg, const json_t *said, void *tag)
{
	struct lines *l = arg;
	char *text = json_dumps(said, JSON_COMPACT);

	(void)tag;
	if (text != NULL && !l->broken) {
		buf_adds(&l->output, text);
		buf_addc(&l->output, '\n');
		loop_io_set(l->out, LOOP_WRITE);
	}
	free(text);
}

/* ---- in ------------------------------------------------------------------------------------------ */

static bool
is_blank(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		len--;
	return len == 0;
}

static void
one_line(struct lines *l, const char *text, size_t len)
{
	if (l->skipping) /* the rest of one that was refused already */
		l->skipping = false;
	else if (len > LINE_MAX_BYTES)
		desk_error(l->desk, "too-long", "这一行太长", NULL);
	else if (!is_blank(text, len))
		(void)desk_do(l->desk, text, len, NULL);
}

static void
cut_lines(struct lines *l)
{
	size_t from = 0;

	while (from < l->input.len) {
		const uint8_t *start = l->input.data + from;
		const uint8_t *end = memchr(start, '\n', l->input.len - from);

		if (end == NULL)
			break;
		one_line(l, (const char *)start, (size_t)(end - start));
		from += (size_t)(end - start) + 1;
	}
	if (from > 0)
		buf_drop_front(&l->input, from);
	if (l->input.len > LINE_MAX_BYTES) {
		if (!l->skipping)
			desk_error(l->desk, "too-long", "这一行太长", NULL);
		l->skipping = true;
		buf_clear(&l->input);
	}
}

static void
on_input(void *arg, int events)
{
	struct lines *l = arg;
	uint8_t *chunk = xmalloc(READ_BYTES);
	ssize_t n;

	(void)events;
	n = read(l->o.in, chunk, READ_BYTES);
	if (n > 0) {
		buf_add(&l->input, chunk, (size_t)n);
		cut_lines(l);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		if (l->input.len > 0) /* a last line without its newline */
			one_line(l, (const char *)l->input.data, l->input.len);
		lines_end(l);
	}
	crypt_wipe(chunk, READ_BYTES);
	free(chunk);
}

/* ---- the end ------------------------------------------------------------------------------------- */

static void
check_end(const struct lines *l)
{
	if (l->ended && (desk_is_idle(l->desk) || l->broken))
		loop_stop(l->o.loop);
}

void
lines_on_event(void *arg, const struct link_event *e)
{
	struct lines *l = arg;

	desk_on_event(l->desk, e);
	if (e->kind == LINK_REVOKED) {
		l->exit_code = EX_NOPERM;
		loop_stop(l->o.loop);
	}
	check_end(l);
}

void
lines_on_commit(void *arg, const struct err *err)
{
	const struct lines *l = arg;

	desk_on_commit(l->desk, err);
}

static void
on_look(void *arg)
{
	check_end(arg);
}

static void
on_linger(void *arg)
{
	struct lines *l = arg;

	loop_stop(l->o.loop);
}

void
lines_end(struct lines *l)
{
	if (l->ended)
		return;
	l->ended = true;
	loop_io_set(l->in, 0);
	loop_timer_after(l->linger, l->o.linger_ms * 1000);
	loop_timer_every(l->look, END_LOOK_US);
}

/* ---- life ---------------------------------------------------------------------------------------- */

struct lines *
lines_create(const struct lines_opts *o)
{
	struct lines *l = xcalloc(1, sizeof(*l));
	struct desk_opts desk = {.outbox = o->outbox,
	    .person = o->person,
	    .rules = o->rules,
	    .files = true,
	    .say = on_say,
	    .arg = l};

	l->o = *o;
	l->desk = desk_create(&desk);
	l->exit_code = EX_OK;
	l->in = loop_io_create(o->loop, o->in, 0, on_input, l);
	l->out = loop_io_create(o->loop, o->out, 0, on_writable, l);
	l->linger = loop_timer_create(o->loop, on_linger, l);
	l->look = loop_timer_create(o->loop, on_look, l);
	return l;
}

void
lines_start(struct lines *l, struct client *c)
{
	desk_start(l->desk, c);
	loop_io_set(l->in, LOOP_READ);
}

void
lines_destroy(struct lines *l)
{
	if (l == NULL)
		return;
	flush(l, 1000);
	loop_io_destroy(l->in);
	loop_io_destroy(l->out);
	loop_timer_destroy(l->linger);
	loop_timer_destroy(l->look);
	if (l->input.data != NULL)
		crypt_wipe(l->input.data, l->input.len);
	buf_done(&l->input);
	buf_done(&l->output);
	desk_destroy(l->desk);
	free(l);
}

int
lines_exit_code(const struct lines *l)
{
	return l->exit_code;
}

void
lines_report(struct lines *l, const struct outbox_report *rep)
{
	desk_report(l->desk, rep);
}
