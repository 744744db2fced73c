/* main.c - hf-dashboard: one live page for operators, health and metrics. Read-only, counts only.
 *
 * /          the page            /events   its live stream (server-sent events with sequence numbers)
 * /state     the same as JSON    /metrics  Prometheus text
 * /livez     the process lives   /readyz   both stores answer and work is handed out (503 otherwise; ?verbose)
 *
 * Failures: no installation (exit 66), the address is taken (exit 69). Stores may come and go. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/http.h"
#include "base/log.h"
#include "base/version.h"
#include "dashboard/reach.h"
#include "dashboard/watch.h"

struct dashboard {
	struct home home;
	struct loop *loop;
	struct http *http;
	struct watch *watch;
	struct reach *reach;
	struct state state;
	bool draining;
};

static const struct {
	const char *path, *file, *type;
} files[] = {
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/app.js", "app.js", "text/javascript; charset=utf-8"},
    {"/tables.js", "tables.js", "text/javascript; charset=utf-8"},
    {"/style.css", "style.css", "text/css; charset=utf-8"},
};

/* build/share beside build/bin, or …/share/huifang. */
static int
read_static(struct buf *out, const char *name)
{
	static const char *const places[] = {"share/dashboard", "share/huifang/dashboard"};
	char exe[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(exe, '/');

		if (slash != NULL)
			*slash = '\0';
	}
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/%s", exe, places[i], name);
		if (file_read(out, path, 1 << 20, NULL) == 0)
			return 0;
	}
	return -1;
}

static void
event_of(struct buf *out, const struct state *s)
{
	buf_addf(out, "id: %ju\nevent: state\ndata: ", (uintmax_t)s->seq);
	state_json(out, s);
	buf_adds(out, "\n\n");
}

static void
health(const struct dashboard *d, const struct http_request *req, struct http_response *res)
{
	bool ready = state_ready(&d->state) && !d->draining;

	res->status = ready ? 200 : 503;
	if (http_query(req, "verbose") != NULL)
		buf_addf(&res->body, "campaign %s\nredis %s\npostgresql %s\nqueue %s\n",
		    d->state.campaign[0] != '\0' ? "ok" : "none", d->state.redis_up ? "ok" : "away",
		    d->state.ledger.up ? "ok" : "away", d->state.mode == 0 ? "ok" : "not granting");
	else
		buf_adds(&res->body, ready ? "ready\n" : "not ready\n");
}

static void
answer(void *arg, const struct http_request *req, struct http_response *res)
{
	struct dashboard *d = arg;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(req->path, files[i].path) != 0)
			continue;
		res->type = files[i].type;
		res->status = read_static(&res->body, files[i].file) == 0 ? 200 : 404;
		return;
	}
	if (strcmp(req->path, "/livez") == 0 || strcmp(req->path, "/healthz") == 0) {
		res->status = 200;
		buf_adds(&res->body, "live\n");
	} else if (strcmp(req->path, "/readyz") == 0) {
		health(d, req, res);
	} else if (strcmp(req->path, "/metrics") == 0) {
		res->status = 200;
		res->type = "text/plain; version=0.0.4; charset=utf-8";
		state_metrics(&res->body, &d->state);
	} else if (strcmp(req->path, "/state") == 0) {
		res->status = 200;
		res->type = "application/json; charset=utf-8";
		state_json(&res->body, &d->state);
	} else if (strcmp(req->path, "/events") == 0) {
		res->stream = true;
		event_of(&res->body, &d->state);
	} else {
		buf_adds(&res->body, "not found\n");
	}
}

static void
on_state(void *arg, const struct state *s)
{
	struct dashboard *d = arg;
	struct buf text = BUF_INIT;

	d->state = *s;
	(void)home_archive_beside(&d->home, d->home.dir, &d->state.archive_beside, NULL);
	reach_read(d->reach, &d->state.brokers, &d->state.brokers_up);
	event_of(&text, &d->state);
	http_publish(d->http, buf_span(&text));
	buf_done(&text);
}

static void
on_term(void *arg)
{
	struct dashboard *d = arg;

	d->draining = true;
	loop_stop(d->loop);
}

static int
run(struct dashboard *d, const char *bind, struct err *err)
{
	int port = 0;

	if (crypt_init(err) != 0 || home_load(&d->home, err) != 0 ||
	    clock_open(d->home.dir, err) != 0)
		return -1;
	d->loop = loop_create();
	loop_on_signal(d->loop, SIGTERM, on_term, d);
	loop_on_signal(d->loop, SIGINT, on_term, d);
	if (http_create(&d->http, d->loop, bind != NULL ? bind : d->home.dashboard, answer, d,
	        &port, err) != 0)
		return -1;
	d->reach = reach_create(d->loop, d->home.broker);
	d->watch = watch_create(d->loop, &d->home, on_state, d);
	log_info("start", "port=%d version=%s", port, HF_VERSION);
	home_ready();
	loop_run(d->loop);
	log_info("stop", "streams=%zu", http_streams(d->http));
	watch_destroy(d->watch);
	reach_destroy(d->reach);
	http_destroy(d->http);
	loop_destroy(d->loop);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct dashboard d;
	struct err err = ERR_INIT;
	const char *bind = NULL;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("hf-dashboard %s\n", HF_VERSION);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--bind") == 0) {
		bind = argv[2];
	} else if (argc != 1) {
		fprintf(argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr,
		    "usage: hf-dashboard [--bind ADDRESS:PORT]\n"
		    "运行台: 队列、账本、需要处理的事, 只有数字没有人名。地址缺省取 env.conf 的 "
		    "dashboard。\n"
		    "/ 页面  /state JSON  /metrics Prometheus  /livez /readyz 健康检查。HF_HOME "
		    "指明安装目录。\n");
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : EX_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	log_init("hf-dashboard", LOG_LVL_INFO);
	if (run(&d, bind, &err) != 0) {
		log_error("start.failed", "cause=\"%s\"", err.text);
		return err.code == ERR_NOT_FOUND ? EX_NOINPUT
		       : err.code == ERR_INVALID ? EX_CONFIG
		                                 : EX_UNAVAILABLE;
	}
	return 0;
}
