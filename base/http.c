/* http.c - libmicrohttpd on our loop: its epoll descriptor and its timeout, no thread of its own.
 *
 * Happy path: the descriptor is readable or the timeout has passed, MHD_run, which calls
 * http_request.c. libmicrohttpd knows one time limit, which a drip of single bytes keeps pushing
 * off; so every connection also has a deadline of ours, and a sweep each second cuts (shutdown)
 * what is past it. User code is never called while libmicrohttpd holds its lists, but for `answer`:
 * what ended is told after MHD_run. Failures: an address that cannot be had. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/http_private.h"
#include "base/text.h"

#define SECOND        1000000LL
#define SWEEP_US      SECOND
#define BEAT_US       (15 * SECOND)
#define IDLE_SECONDS  30U
#define POOL_BYTES    32768U
#define DEFAULT_BODY  65536U
#define DEFAULT_CONNS 256U

/* ---- connections and their time ---------------------------------------------------------------- */

void
http_deadline(struct http_conn *c, int64_t us)
{
	if (c != NULL)
		c->deadline_us = us == 0 ? 0 : clock_boot_us() + us;
}

static void
on_connection(
    void *arg, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = arg;
	struct http_conn *c = *ctx;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = xcalloc(1, sizeof(*c));
		c->mhd = mhd;
		http_deadline(c, h->o.header_ms * 1000LL);
		TAILQ_INSERT_TAIL(&h->conns, c, link);
		*ctx = c;
	} else if (c != NULL) {
		TAILQ_REMOVE(&h->conns, c, link);
		free(c);
		*ctx = NULL;
	}
}

static void
cut(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info != NULL)
		(void)shutdown(info->connect_fd, SHUT_RDWR);
}

static void
sweep(struct http *h, int64_t now)
{
	struct http_conn *c;

	TAILQ_FOREACH(c, &h->conns, link)
	{
		if (c->deadline_us != 0 && c->deadline_us <= now) {
			c->deadline_us = 0;
			cut(c->mhd);
		}
	}
	h->swept_us = now;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void
run(struct http *h)
{
	int64_t now = clock_boot_us(), wait = SWEEP_US;
	MHD_UNSIGNED_LONG_LONG ms = 0;

	if (now - h->beat_us >= BEAT_US) {
		http_streams_beat(h);
		h->beat_us = now;
	}
	if (now - h->swept_us >= SWEEP_US)
		sweep(h, now);
	h->running = true;
	(void)MHD_run(h->daemon);
	h->running = false;
	http_streams_bury(h);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES && ms < (unsigned long long)wait / 1000)
		wait = (int64_t)ms * 1000;
	loop_timer_after(h->timer, wait);
}

static void
on_io(void *arg, int events)
{
	(void)events;
	run(arg);
}

static void
on_timer(void *arg)
{
	run(arg);
}

void
http_kick(struct http *h)
{
	/* Inside MHD_run the timer is armed at its end; a resumed connection makes it short. */
	if (!h->running)
		loop_timer_after(h->timer, 0);
}

/* ---- the address ------------------------------------------------------------------------------- */

static int
parse_ip(const char *address, struct sockaddr_in *at, struct err *err)
{
	const char *colon = strrchr(address, ':');
	char host[64];
	uint64_t port = 0;

	*at = (struct sockaddr_in){.sin_family = AF_INET};
	if (colon == NULL || (size_t)(colon - address) >= sizeof(host) ||
	    !text_to_u64(colon + 1, strlen(colon + 1), &port) || port > 65535)
		return err_set(
		    err, ERR_INVALID, "address wants host:port, like 127.0.0.1:7480: %s", address);
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	at->sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &at->sin_addr) != 1)
		return err_set(err, ERR_INVALID, "address wants an IPv4 address: %s", host);
	return 0;
}

/* A socket file that nobody listens on is a leftover; one that answers belongs to another. */
static int
clear_leftover(const struct sockaddr_un *at, struct err *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(at->sun_path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_EXISTS, "%s is there and no socket", at->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	rc = connect(fd, (const struct sockaddr *)at, sizeof(*at));
	(void)close(fd);
	if (rc == 0)
		return err_set(err, ERR_EXISTS, "%s is in use", at->sun_path);
	return unlink(at->sun_path) == 0 ? 0 : err_sys(err, "removing %s", at->sun_path);
}

static int
listen_unix(struct http *h, const char *path, struct err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(err, ERR_INVALID, "path of a socket is too long: %s", path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (clear_leftover(&at, err) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || chmod(path, 0660) != 0 ||
	    listen(fd, 128) != 0) {
		(void)err_sys(err, "cannot listen on %s", path);
		(void)close(fd);
		return -1;
	}
	h->unix_path = xstrdup(path);
	return fd;
}

static int
listen_ip(const char *address, struct err *err)
{
	struct sockaddr_in at;
	int fd, one = 1;

	if (parse_ip(address, &at, err) != 0)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 128) != 0) {
		(void)err_sys(err, "cannot listen on %s", address);
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
port_of(int fd)
{
	struct sockaddr_in at = {0};
	socklen_t size = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &size) != 0 || at.sin_family != AF_INET)
		return 0;
	return ntohs(at.sin_port);
}

/* ---- the server -------------------------------------------------------------------------------- */

static void
fill_defaults(struct http *h, const struct http_opts *o)
{
	h->o = *o;
	h->o.address = NULL;
	for (size_t i = 0; i < 2; i++)
		h->o.big_paths[i] = o->big_paths[i] != NULL ? xstrdup(o->big_paths[i]) : NULL;
	if (h->o.body_max == 0)
		h->o.body_max = DEFAULT_BODY;
	if (h->o.connections == 0)
		h->o.connections = DEFAULT_CONNS;
	if (h->o.header_ms == 0)
		h->o.header_ms = 10000;
}

static void
free_http(void *object)
{
	struct http *h = object;

	if (h->unix_path != NULL)
		(void)unlink(h->unix_path);
	free(h->unix_path);
	for (size_t i = 0; i < 2; i++)
		free((char *)(uintptr_t)h->o.big_paths[i]);
	free(h);
}

static struct MHD_Daemon *
start(struct http *h, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    http_on_request, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	    h->o.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, h->o.per_address,
	    MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
	    http_on_uri, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	    MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, h, MHD_OPTION_END);
}

int
http_listen(
    struct http **ret, struct loop *l, const struct http_opts *o, int *ret_port, struct err *err)
{
	struct http *h = xcalloc(1, sizeof(*h));
	bool is_unix = strncmp(o->address, "unix:", 5) == 0;
	const union MHD_DaemonInfo *info;
	int fd;

	h->loop = l;
	TAILQ_INIT(&h->conns);
	TAILQ_INIT(&h->reqs);
	TAILQ_INIT(&h->streams);
	TAILQ_INIT(&h->gone);
	fill_defaults(h, o);
	h->beat_us = h->swept_us = clock_boot_us();
	fd = is_unix ? listen_unix(h, o->address + 5, err) : listen_ip(o->address, err);
	if (fd >= 0 && (h->daemon = start(h, fd)) == NULL) {
		(void)err_sys(err, "cannot serve on %s", o->address);
		(void)close(fd);
		fd = -1;
	}
	if (fd < 0) {
		free_http(h);
		return -1;
	}
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	CHECK(info != NULL);
	h->io = loop_io_create(l, info->epoll_fd, LOOP_READ, on_io, h);
	h->timer = loop_timer_create(l, on_timer, h);
	loop_timer_after(h->timer, 0);
	if (ret_port != NULL)
		*ret_port = port_of(fd);
	*ret = h;
	return 0;
}

int
http_create(struct http **ret, struct loop *l, const char *address, http_fn *answer, void *arg,
    int *ret_port, struct err *err)
{
	struct http_opts o = {.address = address, .answer = answer, .arg = arg, .per_address = 64};

	return http_listen(ret, l, &o, ret_port, err);
}

void
http_destroy(struct http *h)
{
	if (h == NULL)
		return;
	CHECK(!h->running);
	h->closing = true;
	loop_io_destroy(h->io);
	http_refuse_waiting(h);
	http_streams_end(h);
	h->running = true;
	/* Lets the resumed connections write their last words; then all are closed. */
	(void)MHD_run(h->daemon);
	MHD_stop_daemon(h->daemon);
	h->running = false;
	loop_timer_destroy(h->timer);
	http_streams_bury(h);
	loop_bury(h->loop, free_http, h);
}
