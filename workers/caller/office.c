/* office.c - the office opens, keeps time, and closes.
 *
 * Happy path: every agent directory becomes a room, HTTP listens, a beat each five seconds finds streams
 * whose reader has vanished. Who was enrolled later gets a room at the first login. At the end no
 * command is taken any more, what is stored is sent while brokers answer, at most linger_ms. Failures:
 * an address that is taken or not loopback, a directory that is not there; one person's damaged
 * directory is said and passed over. */
#include "workers/caller/office.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/caller/office_int.h"

#define BEAT_US     (5 * SECOND_US)
#define TICK_US     SECOND_US
#define END_LOOK_US 20000
#define SOCKETS     1024
#define CONNECTIONS 600

bool
office_is_loopback(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct in_addr ip;
	char host[64];

	if (strncmp(address, "unix:", 5) == 0)
		return true;
	if (colon == NULL || (size_t)(colon - address) >= sizeof(host))
		return false;
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	return inet_pton(AF_INET, host, &ip) == 1 && ntohl(ip.s_addr) >> 24 == 127;
}

/* ---- rooms --------------------------------------------------------------------------------------- */

static bool
is_enrolled(const struct office *o, const char *person)
{
	char path[700];

	(void)snprintf(path, sizeof(path), "%s/%s/persons/%s.key", o->o.agents, person, person);
	return access(path, F_OK) == 0;
}

static struct room *
open_room(struct office *o, const char *person)
{
	struct err err = ERR_INIT;
	struct room *r = NULL;
	int64_t now = clock_boot_us();

	/* Once a minute: whoever knocks must not fill the log. */
	if (room_open(&r, o, person, &err) != 0 &&
	    (!o->is_open || now - o->warned_us > 60 * SECOND_US)) {
		o->warned_us = now;
		log_warn("office.room_not_opened",
		    "cause=\"%s\" decision=\"this person cannot log in\"", err.text);
	}
	return r;
}

struct room *
office_room(struct office *o, const char *person, bool *ret_broken)
{
	struct room *r;

	*ret_broken = false;
	TAILQ_FOREACH(r, &o->rooms, link)
	{
		if (strcmp(r->person, person) == 0)
			return r;
	}
	if (!is_enrolled(o, person))
		return NULL;
	r = open_room(o, person);
	*ret_broken = r == NULL;
	return r;
}

static int
open_rooms(struct office *o, struct err *err)
{
	DIR *d = opendir(o->o.agents);
	struct dirent *e;

	if (d == NULL)
		return err_sys(err, "%s", o->o.agents);
	while ((e = readdir(d)) != NULL)
		if (text_is_id(e->d_name, strlen(e->d_name)) && is_enrolled(o, e->d_name))
			(void)open_room(o, e->d_name);
	(void)closedir(d);
	return 0;
}

/* ---- time ---------------------------------------------------------------------------------------- */

static void
on_beat(void *arg)
{
	struct office *o = arg;
	struct room *r;

	TAILQ_FOREACH(r, &o->rooms, link)
	room_beat(r);
}

static void
on_tick(void *arg)
{
	struct office *o = arg;
	int64_t now = clock_boot_us();
	struct room *r;

	seats_tick(o, now);
	phone_tick(o, now);
	imports_tick(o, now);
	TAILQ_FOREACH(r, &o->rooms, link)
	room_tick(r, now);
}

static void
on_linger(void *arg)
{
	struct office *o = arg;

	loop_stop(o->o.loop);
}

static void
on_look(void *arg)
{
	struct office *o = arg;
	struct room *r;

	TAILQ_FOREACH(r, &o->rooms, link)
	{
		if (!room_is_idle(r))
			return;
	}
	loop_stop(o->o.loop);
}

void
office_stop(struct office *o)
{
	if (o->ended)
		return;
	o->ended = true;
	loop_timer_after(o->linger, o->o.linger_ms * 1000);
	loop_timer_every(o->look, END_LOOK_US);
}

/* ---- life ---------------------------------------------------------------------------------------- */

/* A room has a dozen descriptors, a stream one. */
static void
raise_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int
listen_here(struct office *o, int *ret_port, struct err *err)
{
	struct http_opts http = {.address = o->o.listen,
	    .answer = pages_answer,
	    .arg = o,
	    .post = true,
	    .big_paths = {OFFICE_EVIDENCE, OFFICE_IMPORT},
	    .big_max = EVIDENCE_PLAIN_MAX,
	    .admit = pages_admit,
	    .connections = CONNECTIONS};

	return http_listen(&o->http, o->o.loop, &http, ret_port, err);
}

static int
load_all_words(struct office *o, struct err *err)
{
	return rules_words(&o->rules, o->o.policy, "policy/default.policy", rules_load, err) == 0 &&
	               rules_words(
	                   &o->script, o->o.script, "policy/default.script", rules_script, err) == 0
	           ? 0
	           : -1;
}

int
office_open(struct office **ret, const struct office_opts *opts, int *ret_port, struct err *err)
{
	struct office *o = xcalloc(1, sizeof(*o));

	o->o = *opts;
	TAILQ_INIT(&o->rooms);
	TAILQ_INIT(&o->seats);
	TAILQ_INIT(&o->tickets);
	crypt_random(o->stranger_key, sizeof(o->stranger_key));
	raise_files();
	reports_open(o);
	o->z = zctx_create(1, SOCKETS);
	o->beat = loop_timer_create(o->o.loop, on_beat, o);
	o->tick = loop_timer_create(o->o.loop, on_tick, o);
	o->look = loop_timer_create(o->o.loop, on_look, o);
	o->linger = loop_timer_create(o->o.loop, on_linger, o);
	if (load_all_words(o, err) != 0 || pins_create(&o->pins, o->o.loop, door_done, err) != 0 ||
	    open_rooms(o, err) != 0 || listen_here(o, ret_port, err) != 0) {
		office_close(o);
		return -1;
	}
	o->is_open = true;
	loop_timer_every(o->beat, BEAT_US);
	loop_timer_every(o->tick, TICK_US);
	*ret = o;
	return 0;
}

void
office_close(struct office *o)
{
	struct seat *s;
	struct room *r;

	if (o == NULL)
		return;
	pins_destroy(o->pins);
	resets_close(o);
	draws_close(o);
	imports_close(o);
	reports_close(o->reports);
	phone_close(o);
	while ((s = TAILQ_FIRST(&o->seats)) != NULL)
		seat_end(s);
	TAILQ_FOREACH(r, &o->rooms, link)
	room_shut(r);
	http_destroy(o->http);
	while ((r = TAILQ_FIRST(&o->rooms)) != NULL) {
		TAILQ_REMOVE(&o->rooms, r, link);
		room_close(r);
	}
	loop_timer_destroy(o->beat);
	loop_timer_destroy(o->tick);
	loop_timer_destroy(o->look);
	loop_timer_destroy(o->linger);
	zctx_destroy(o->z);
	json_decref(o->rules);
	json_decref(o->script);
	free(o);
}
