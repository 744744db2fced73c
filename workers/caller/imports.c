/* imports.c - the data group looks at a roster and imports it, from the screen.
 *
 * Happy path: the file's bytes come in, lie in memory only and are hfctl's standard input; it is looked at (--dry-run,
 * with the first rows masked and each bad row's reason); whoever brought it in says go, which is a note of that person in
 * the ledger, and hfctl imports the very same bytes, acting as the person of --imports-as. Failures: no --imports-as or
 * no HF_HOME, somebody else's roster is being looked at, a file that does not read, rows with errors (nothing is imported
 * unless the good ones are asked for). It is forgotten when it was dropped, when its person left, after half an hour. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/caller/reports.h"

#define KEEP_US     (1800 * SECOND_US)
#define LIMIT_US    (900 * SECOND_US)
#define OUT_MAX     ((size_t)32 << 20)
#define ERRORS_MAX  300 /* rows that are shown */
#define FIRST_ROWS  "8"
#define EX_BAD_ROWS 65

enum import_state { LOOKING, LOOKED, MAKING, MADE, FAILED };
static const char *const state_names[] = {"looking", "looked", "making", "made", "failed"};

struct import {
	struct office *office;
	name_t person; /* whose it is */
	enum import_state state;
	int fd;
	size_t size;
	char hash[25], why[STORY_SIZE];
	json_t *seen; /* what hfctl said of it, or NULL */
	struct child *child;
	int64_t asked_us;
};

static void
forget(struct office *o)
{
	struct import *m = o->import;

	if (m == NULL)
		return;
	o->import = NULL;
	child_stop(m->child);
	if (m->fd >= 0)
		(void)close(m->fd);
	json_decref(m->seen);
	free(m);
}

/* The bytes are of no more use. */
static void
let_go(struct import *m)
{
	if (m->fd >= 0)
		(void)close(m->fd);
	m->fd = -1;
}

static void
fail(struct import *m, const char *why)
{
	m->state = FAILED;
	(void)snprintf(m->why, sizeof(m->why), "%s", why);
	let_go(m);
}

/* ---- hfctl's run --------------------------------------------------------------------------------- */

/* Its first lines only; how many there are is said beside. */
static void
shorten(json_t *seen)
{
	json_t *errors = json_object_get(seen, "errors");

	while (json_array_size(errors) > ERRORS_MAX)
		(void)json_array_remove(errors, json_array_size(errors) - 1);
}

static void
on_done(void *arg, const struct child_result *c)
{
	struct import *m = arg;
	json_t *seen = NULL;
	char why[STORY_SIZE];
	bool whole;

	m->child = NULL;
	m->asked_us = clock_boot_us();
	if (c->end == CHILD_EXITED)
		seen =
		    json_loadb((const char *)c->out.data, c->out.len, JSON_DISABLE_EOF_CHECK, NULL);
	whole = seen != NULL && (c->code == 0 || c->code == 1 || c->code == EX_BAD_ROWS);
	if (whole) {
		if (m->state == MAKING) /* what was looked at stays in sight */
			(void)json_object_set(seen, "first", json_object_get(m->seen, "first"));
		json_decref(m->seen);
		m->seen = seen;
		shorten(m->seen);
		m->state = m->state == MAKING ? MADE : LOOKED;
		if (m->state == MADE)
			let_go(m);
		return;
	}
	json_decref(seen);
	run_story(why, c->story);
	if (c->end == CHILD_LATE)
		(void)snprintf(why, sizeof(why), "%s", "读得太久, 请分成几个文件");
	log_warn("office.roster_not_read", "exit=%d making=%d decision=\"nothing is shown of it\"",
	    c->code, m->state == MAKING);
	fail(m, why);
}

static void
run(struct import *m, const struct room *r, bool making, bool partial)
{
	const char *argv[14] = {"hfctl", "--json", "--campaign", r->id.campaign, "--as",
	    m->office->o.imports_as, "roster", "import", "/proc/self/fd/0"};
	size_t n = 9;
	struct child_opts o = {.loop = m->office->o.loop,
	    .argv = (char *const *)(uintptr_t)argv,
	    .in_fd = m->fd,
	    .out_max = OUT_MAX,
	    .limit_us = LIMIT_US,
	    .done = on_done,
	    .arg = m};
	struct err err = ERR_INIT;

	if (!making) {
		argv[n++] = "--dry-run";
		argv[n++] = "--show";
		argv[n++] = FIRST_ROWS;
	} else if (partial) {
		argv[n++] = "--partial";
	}
	m->state = making ? MAKING : LOOKING;
	m->asked_us = clock_boot_us();
	if (child_start(&m->child, &o, &err) == 0)
		return;
	log_warn("office.roster_not_read", "cause=\"%s\"", err.text);
	fail(m, "名单现在读不了, 请告诉管理员");
}

/* ---- what a screen asks -------------------------------------------------------------------------- */

static bool
may(const struct room *r, struct http_response *res)
{
	const struct import *m = r->office->import;
	char text[80];

	if ((r->roles & ROLE_DATA) == 0) {
		pages_error(res, 403, "denied", "只有数据组能导入名单");
	} else if (r->office->o.imports_as == NULL || getenv("HF_HOME") == NULL) {
		pages_error(res, 503, "off",
		    "这里不能导入; 请在服务器上用 hfctl roster import --dry-run 文件");
	} else if (m != NULL && strcmp(m->person, r->person) != 0) {
		(void)snprintf(text, sizeof(text), "%s 正在导入名单, 请等他做完或撤掉", m->person);
		pages_error(res, 409, "busy", text);
	} else {
		return true;
	}
	return false;
}

void
imports_state(struct room *r, struct http_response *res)
{
	struct import *m = r->office->import;

	if (!may(r, res))
		return;
	if (m == NULL) {
		pages_json(res, 200, json_pack("{s:s}", "state", "none"));
		return;
	}
	m->asked_us = clock_boot_us();
	pages_json(res, 200,
	    json_pack("{s:s,s:I,s:s,s:s,s:O}", "state", state_names[m->state], "size",
	        (json_int_t)m->size, "hash", m->hash, "why", m->why, "seen",
	        m->seen != NULL ? m->seen : json_null()));
}

static int
keep(struct import *m, struct span bytes)
{
	size_t done = 0;

	m->fd = memfd_create("roster", MFD_CLOEXEC);
	if (m->fd < 0)
		return -1;
	while (done < bytes.len) {
		ssize_t n = write(m->fd, bytes.data + done, bytes.len - done);

		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void
name_it(struct import *m, struct span bytes)
{
	uint8_t hash[32];

	crypt_hash(hash, &bytes, 1);
	hex_encode(m->hash, hash, 12);
}

void
imports_upload(struct room *r, const struct http_request *req, struct http_response *res)
{
	struct import *m;

	if (!may(r, res))
		return;
	m = r->office->import;
	if (req->body.len == 0) {
		pages_error(res, 400, "bad-field", "文件是空的");
		return;
	}
	if (m != NULL && m->state == MAKING) {
		pages_error(res, 409, "busy", "上一个名单正在写入, 请等它做完");
		return;
	}
	forget(r->office);
	m = xcalloc(1, sizeof(*m));
	m->office = r->office;
	m->fd = -1;
	m->size = req->body.len;
	(void)snprintf(m->person, sizeof(m->person), "%s", r->person);
	r->office->import = m;
	name_it(m, req->body);
	if (keep(m, req->body) == 0)
		run(m, r, false, false);
	else
		fail(m, "服务器内存不够, 请稍后再试");
	imports_state(r, res);
}

/* Who wanted it stands in the ledger under the own signature, before it is done. */
static void
note_it(const struct import *m, const struct room *r)
{
	char text[160];
	json_t *o;
	char *line;

	(void)snprintf(text, sizeof(text), "导入名单 %s: %lld 行", m->hash,
	    (long long)json_integer_value(json_object_get(m->seen, "rows")));
	o = json_pack("{s:s,s:s}", "do", "note", "note", text);
	line = json_dumps(o, JSON_COMPACT);
	CHECK(line != NULL);
	(void)desk_do(r->desk, line, strlen(line), NULL);
	free(line);
	json_decref(o);
}

void
imports_go(struct room *r, const struct http_request *req, struct http_response *res)
{
	json_t *body = json_loadb((const char *)req->body.data, req->body.len, 0, NULL);
	bool partial = json_is_true(json_object_get(body, "partial"));
	const char *hash = json_string_value(json_object_get(body, "hash"));
	struct import *m = r->office->import;

	if (!may(r, res)) {
		/* said */
	} else if (m == NULL || m->state != LOOKED || hash == NULL || strcmp(hash, m->hash) != 0) {
		pages_error(res, 409, "stale", "要导入的名单已经不在这里, 请再上传一次");
	} else if (!partial && json_integer_value(json_object_get(m->seen, "rejected")) > 0) {
		pages_error(res, 409, "bad-rows", "名单里有错, 改好再传, 或只导入没有错的行");
	} else {
		note_it(m, r);
		run(m, r, true, partial);
		imports_state(r, res);
	}
	json_decref(body);
}

void
imports_drop(struct room *r, struct http_response *res)
{
	if (!may(r, res))
		return;
	if (r->office->import != NULL && r->office->import->state == MAKING) {
		pages_error(res, 409, "busy", "名单正在写入, 请等它做完");
		return;
	}
	forget(r->office);
	imports_state(r, res);
}

/* ---- life ---------------------------------------------------------------------------------------- */

/* What is being written goes on: it was wanted. */
void
imports_left(struct room *r)
{
	struct import *m = r->office->import;

	if (m != NULL && m->state != MAKING && strcmp(m->person, r->person) == 0)
		forget(r->office);
}

void
imports_tick(struct office *o, int64_t now)
{
	struct import *m = o->import;

	if (m != NULL && m->state != MAKING && now - m->asked_us > KEEP_US)
		forget(o);
}

void
imports_close(struct office *o)
{
	forget(o);
}
