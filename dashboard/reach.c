/* reach.c - do the brokers take connections?
 *
 * Happy path: every two seconds a TCP connection to each endpoint of env.conf that is an address; what is
 * open at the next round counts as up and is closed. Failures: refused, or not open within a round, is
 * away; so a broker that died is noticed within four seconds. Until the first round every one counts as
 * up. An endpoint that is no numeric address is not asked: a name would have to be resolved, which may
 * block. */
#include "dashboard/reach.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

#define ROUND_US 2000000
#define MOST     16

struct endpoint {
	struct sockaddr_storage at;
	socklen_t len;
	int fd; /* -1 none */
	bool up;
};

struct reach {
	struct loop_timer *timer;
	size_t n;
	struct endpoint e[MOST];
};

static void
hang_up(struct endpoint *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

static bool
is_open(const struct endpoint *e)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return e->fd >= 0 && getpeername(e->fd, (struct sockaddr *)&peer, &len) == 0;
}

/* Whether it came through shows at the next round. */
static void
dial(struct endpoint *e)
{
	e->fd = socket(e->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (e->fd >= 0)
		(void)connect(e->fd, (const struct sockaddr *)&e->at, e->len);
}

static void
on_round(void *arg)
{
	struct reach *r = arg;

	for (size_t i = 0; i < r->n; i++) {
		struct endpoint *e = &r->e[i];

		e->up = is_open(e);
		hang_up(e);
		dial(e);
	}
}

static bool
read_endpoint(struct endpoint *e, const char *text)
{
	static const struct addrinfo numeric = {
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(text, ':');
	struct addrinfo *found = NULL;
	char host[64];

	if (strncmp(text, "tcp://", 6) != 0 || colon < text + 6)
		return false;
	text += *(text + 6) == '[' ? 7 : 6;
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	host[strcspn(host, "]")] = '\0';
	if (getaddrinfo(host, colon + 1, &numeric, &found) != 0)
		return false;
	memcpy(&e->at, found->ai_addr, found->ai_addrlen);
	e->len = found->ai_addrlen;
	e->fd = -1;
	e->up = true;
	freeaddrinfo(found);
	return true;
}

struct reach *
reach_create(struct loop *loop, const char *endpoints)
{
	struct reach *r = xcalloc(1, sizeof(*r));
	char *save = NULL, *copy = strdup(endpoints);

	for (char *w = strtok_r(copy, " ", &save); w != NULL && r->n < MOST;
	     w = strtok_r(NULL, " ", &save))
		if (read_endpoint(&r->e[r->n], w))
			r->n++;
	free(copy);
	for (size_t i = 0; i < r->n; i++)
		dial(&r->e[i]);
	r->timer = loop_timer_create(loop, on_round, r);
	loop_timer_every(r->timer, ROUND_US);
	return r;
}

void
reach_destroy(struct reach *r)
{
	if (r == NULL)
		return;
	loop_timer_destroy(r->timer);
	for (size_t i = 0; i < r->n; i++)
		hang_up(&r->e[i]);
	free(r);
}

void
reach_read(const struct reach *r, int64_t *ret_known, int64_t *ret_up)
{
	*ret_known = (int64_t)r->n;
	*ret_up = 0;
	for (size_t i = 0; i < r->n; i++)
		*ret_up += r->e[i].up ? 1 : 0;
}
