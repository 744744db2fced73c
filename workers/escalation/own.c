/* own.c - what is the router's own: the policy in force, its outbox's id on the disk, the keys it follows.
 *
 * The lock on the id's file is held as long as the process lives, so that two routers of one installation
 * never write one chain: the second waits. A policy with problems is refused as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "workers/escalation/router.h"

/* ---- the policy ---- */

/* The week, the policy's days, and over them those that were imported. */
static void
make_calendar(struct router *r)
{
	calendar_init(&r->calendar, r->policy);
	for (uint32_t i = 0; i < r->days.n; i++) {
		const struct day *d = &r->days.at[i];

		if (!calendar_set_day(
		        &r->calendar, d->day, d->kind != DAY_HOLIDAY, d->kind == DAY_WORKDAY))
			log_error("days",
			    "decision=\"the calendar is full, later days are as the week\"");
	}
}

bool
own_use_days(struct router *r, struct span text, bool loaded)
{
	static struct days news;
	struct err err = ERR_INIT;

	if (days_parse(&news, text, &err) != 0) {
		log_error("days", "why=\"%s\" decision=\"nothing of it is taken\"", err.text);
		return false;
	}
	for (uint32_t i = 0; i < news.n; i++) {
		enum days_put got = days_put(&r->days, &news.at[i], false);

		if (got == DAYS_FULL)
			log_error("days", "decision=\"the list is full, a day is left out\"");
		r->days_dirty = r->days_dirty || (!loaded && got == DAYS_CHANGED);
	}
	if (r->policy != NULL)
		make_calendar(r);
	return true;
}

bool
own_use_policy(struct router *r, struct span text, const char *name)
{
	struct buf problems = BUF_INIT;
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	bool ok = policy_read(&p, name, text, &problems, &err) == 0;

	if (ok) {
		policy_free(r->policy);
		r->policy = p;
		make_calendar(r);
		if (text.data != r->policy_text.data) {
			buf_clear(&r->policy_text);
			buf_add(&r->policy_text, text.data, text.len);
		}
		log_info("policy", "version=%d date=%s", p->version, p->date);
	} else {
		log_error(
		    "policy", "why=\"%s\" hint=\"hf-router --check-policy shows each\"", err.text);
	}
	buf_done(&problems);
	return ok;
}

/* ---- the router's own things on disk ---- */

/* The outbox's id; the lock on its file is held as long as we live, so that two routers of one
 * installation never write one chain. */
static int
open_outbox(struct router *r, struct err *err)
{
	char path[600], text[34] = "";
	ssize_t n;

	if (r->lock_fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/ob", r->id.dir);
	r->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (r->lock_fd < 0)
		return err_sys(err, "%s", path);
	if (flock(r->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		close(r->lock_fd);
		r->lock_fd = -1;
		return err_set(err, ERR_BUSY, "another router of this installation runs");
	}
	n = read(r->lock_fd, text, 33);
	if (n == 33 && hex_decode(r->ob, 16, text, 32))
		return 0;
	crypt_random(r->ob, sizeof(r->ob));
	hex_encode(text, r->ob, 16);
	text[32] = '\n';
	if (ftruncate(r->lock_fd, 0) != 0 || pwrite(r->lock_fd, text, 33, 0) != 33 ||
	    fsync(r->lock_fd) != 0 || file_sync_dir(path, err) != 0)
		return err_sys(err, "%s", path);
	return 0;
}

/* A frozen or foreign chain is left as it is: a new one begins. */
void
own_new_outbox(struct router *r)
{
	char text[34];

	crypt_random(r->ob, sizeof(r->ob));
	hex_encode(text, r->ob, 16);
	text[32] = '\n';
	if (pwrite(r->lock_fd, text, 33, 0) != 33 || fsync(r->lock_fd) != 0)
		log_error(
		    "outbox", "why=\"%s\" decision=\"used until the next start\"", strerror(errno));
}

static void
on_key(void *arg, const struct keys_row *row)
{
	struct router *r = arg;
	uint8_t *key = map_get(r->keys, row->case_id, 16);

	if (row->shredded) {
		if (key != NULL) {
			map_del(r->keys, row->case_id, 16);
			crypt_wipe(key, 32);
			free(key);
		}
		return;
	}
	if (key == NULL) {
		key = xmalloc(32);
		map_put(r->keys, row->case_id, 16, key);
	}
	memcpy(key, row->key, 32);
}

static void
on_keys_level(void *arg)
{
	struct router *r = arg;

	r->keys_level = true;
	pump(r);
}

int
own_open(struct router *r, struct err *err)
{
	char dir[560];

	if (!r->has_id) {
		snprintf(dir, sizeof(dir), "%s/router/%s", r->home.dir, r->campaign);
		if (identity_load(&r->id, dir, err) != 0)
			return -1;
		r->has_id = true;
	}
	if (open_outbox(r, err) != 0)
		return -1;
	if (r->follow == NULL)
		r->follow = keyfollow_create(
		    r->zctx, r->loop, r->home.keys, r->campaign, on_key, on_keys_level, r, err);
	return r->follow == NULL ? -1 : 0;
}

bool
own_default_policy(struct router *r)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	bool ok = file_read(&text, r->policy_path, POLICY_FILE_MAX, &err) == 0 &&
	          own_use_policy(r, buf_span(&text), r->policy_path);

	if (err.code != ERR_NONE)
		log_error("policy", "why=\"%s\"", err.text);
	buf_done(&text);
	return ok;
}
