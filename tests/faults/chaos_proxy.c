/* chaos_proxy - a TCP relay that misbehaves on command, between agents and a broker.
 *
 *   chaos_proxy LISTEN_PORT TARGET_PORT SEED      both on 127.0.0.1
 *
 * Happy path: relays both ways what comes. Commands, one word a line on standard input, each answered by the
 * same word: pass (as it should be), delay (50 ms a piece), dribble (1 byte at a time, each after 1 ms), cut
 * (reset every connection now), half (end the agent's side, keep the other open), corrupt (one bit of the
 * next piece of each connection), deaf (agent to broker is swallowed), mute (broker to agent is swallowed),
 * dark (nothing in, nothing out, new connections included). The end of standard input ends it.
 * Failures: a relay that cannot connect or is out of memory closes that connection; TCP repeats. */
#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum mode { PASS, DELAY, DRIBBLE, DEAF, MUTE, DARK };

#define BUFFER 65536

/* One direction of one connection: from reads, to writes. */
struct way {
	ev_io reader, writer;
	ev_timer later; /* what is in hand waits for this */
	struct pair *pair;
	uint8_t data[BUFFER];
	size_t begin, end;
	int from, to;
	bool corrupt, ended;
};

struct pair {
	struct way way[2]; /* 0: agent to broker */
	struct pair *next, *prev;
};

static struct ev_loop *loop;
static struct pair *pairs;
static enum mode mode = PASS;
static uint16_t target;
static unsigned seed;

static struct sockaddr_in
local(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void
no_delay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void
drop(struct pair *p, bool reset)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	for (int i = 0; i < 2; i++) {
		ev_io_stop(loop, &p->way[i].reader);
		ev_io_stop(loop, &p->way[i].writer);
		ev_timer_stop(loop, &p->way[i].later);
		if (reset)
			(void)setsockopt(p->way[i].from, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(p->way[i].from);
	}
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		pairs = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	free(p);
}

static bool
swallows(const struct way *w)
{
	bool outward = w == &w->pair->way[0];

	return mode == DARK || (mode == DEAF && outward) || (mode == MUTE && !outward);
}

/* After a piece: read on, or wait to write the rest. */
static void
settle(struct way *w)
{
	double wait = mode == DRIBBLE ? 0.001 : mode == DELAY ? 0.05 : 0;

	if (w->begin == w->end) {
		w->begin = w->end = 0;
		ev_io_stop(loop, &w->writer);
		if (w->ended && w->pair->way[w == &w->pair->way[0]].ended)
			drop(w->pair, false);
		else if (w->ended)
			(void)shutdown(w->to, SHUT_WR);
		else
			ev_io_start(loop, &w->reader);
	} else if (wait > 0) {
		ev_io_stop(loop, &w->writer);
		ev_timer_stop(loop, &w->later);
		ev_timer_set(&w->later, wait, 0);
		ev_timer_start(loop, &w->later);
	} else {
		ev_io_start(loop, &w->writer);
	}
}

static void
on_later(struct ev_loop *l, ev_timer *t, int events)
{
	struct way *w = t->data;

	(void)events;
	ev_io_start(l, &w->writer);
}

static void
on_writable(struct ev_loop *l, ev_io *io, int events)
{
	struct way *w = io->data;
	size_t len = mode == DRIBBLE ? 1 : w->end - w->begin;
	ssize_t n;

	(void)l;
	(void)events;
	n = send(w->to, w->data + w->begin, len, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN) {
		drop(w->pair, true);
		return;
	}
	w->begin += n > 0 ? (size_t)n : 0;
	settle(w);
}

static void
on_readable(struct ev_loop *l, ev_io *io, int events)
{
	struct way *w = io->data;
	ssize_t n = recv(w->from, w->data, sizeof(w->data), 0);

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		drop(w->pair, true);
		return;
	}
	if (swallows(w) && n > 0)
		return;
	if (w->corrupt && n > 0) {
		w->data[(size_t)rand_r(&seed) % (size_t)n] ^= 0x10;
		w->corrupt = false;
	}
	w->ended = n == 0;
	w->end = (size_t)n;
	ev_io_stop(l, &w->reader);
	settle(w);
}

static void
begin(struct pair *p, int i, int from, int to)
{
	struct way *w = &p->way[i];

	w->pair = p;
	w->from = from;
	w->to = to;
	ev_io_init(&w->reader, on_readable, from, EV_READ);
	ev_io_init(&w->writer, on_writable, to, EV_WRITE);
	ev_timer_init(&w->later, on_later, 0, 0);
	w->reader.data = w->writer.data = w->later.data = w;
	ev_io_start(loop, &w->reader);
}

static void
on_connection(struct ev_loop *l, ev_io *io, int events)
{
	struct sockaddr_in to = local(target);
	int in = accept(io->fd, NULL, NULL), out;
	struct pair *p;

	(void)l;
	(void)events;
	if (in < 0)
		return;
	out = mode == DARK ? -1 : socket(AF_INET, SOCK_STREAM, 0);
	if (out < 0 || connect(out, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(in);
		if (out >= 0)
			close(out);
		return;
	}
	no_delay(in);
	no_delay(out);
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->next = pairs;
	if (pairs != NULL)
		pairs->prev = p;
	pairs = p;
	begin(p, 0, in, out);
	begin(p, 1, out, in);
}

static bool
obey(const char *word)
{
	static const char *const modes[] = {"pass", "delay", "dribble", "deaf", "mute", "dark"};
	struct pair *next;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(word, modes[i]) == 0) {
			mode = (enum mode)i;
			return true;
		}
	if (strcmp(word, "cut") != 0 && strcmp(word, "half") != 0 && strcmp(word, "corrupt") != 0)
		return false;
	for (struct pair *p = pairs; p != NULL; p = next) {
		next = p->next;
		if (word[1] == 'u')
			drop(p, true);
		else if (word[0] == 'h')
			(void)shutdown(p->way[0].from, SHUT_WR);
		else
			p->way[0].corrupt = p->way[1].corrupt = true;
	}
	return true;
}

static void
on_command(struct ev_loop *l, ev_io *io, int events)
{
	static char line[64];
	static size_t len;
	char c;

	(void)events;
	if (read(io->fd, &c, 1) != 1) {
		ev_break(l, EVBREAK_ALL);
		return;
	}
	if (c != '\n') {
		if (len + 1 < sizeof(line))
			line[len++] = c;
		return;
	}
	line[len] = '\0';
	len = 0;
	printf("%s\n", obey(line) ? line : "what?");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in here;
	ev_io listening, commands;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (argc != 4 || fd < 0)
		return 64;
	here = local((uint16_t)atoi(argv[1]));
	target = (uint16_t)atoi(argv[2]);
	seed = (unsigned)atoi(argv[3]);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(fd, 64) != 0) {
		perror("chaos_proxy: listen");
		return 71;
	}
	loop = ev_default_loop(0);
	ev_io_init(&listening, on_connection, fd, EV_READ);
	ev_io_start(loop, &listening);
	ev_io_init(&commands, on_command, 0, EV_READ);
	ev_io_start(loop, &commands);
	puts("ready");
	fflush(stdout);
	ev_run(loop, 0);
	return 0;
}
