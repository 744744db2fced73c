/* Who hears which keys: loads, additions, followers.
 *
 * Happy path: wait for the store's lock, bind, read a message, answer it; what was added is pushed to
 * all who loaded that campaign. The process knows neither Redis nor PostgreSQL, so it works while they
 * are away, and an fsync here stops nobody else. Failures: what does not decode is answered with an
 * error; a follower that cannot be sent to is forgotten (it asks again by itself); without a KEK, which
 * `hfctl campaign create` makes, everything that touches a key is refused until it is there. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/zsock.h"
#include "proto/keys.h"
#include "workers/recorder/keyserver.h"
#include "workers/recorder/keystore.h"

struct follower {
	uint8_t id[64]; /* routing id; id_len 0: free */
	size_t id_len;
	name_t campaign;
	uint64_t next;
};

struct keyserver {
	const struct home *home; /* borrowed */
	struct keystore *store;
	struct loop *loop;
	struct zctx *zctx;
	struct zsock *sock;
	struct buf out;
	struct follower follower[KEY_FOLLOWERS_MAX];
	bool kek_was_wrong;
};

static bool
send_to(struct keyserver *s, struct span id, struct err *err)
{
	struct span parts[] = {id, buf_span(&s->out)};

	return zsock_send(s->sock, parts, 2, err) == 0;
}

static void
answer_error(struct keyserver *s, struct span id, const struct err *why)
{
	buf_clear(&s->out);
	keys_encode_error(&s->out, why->text);
	(void)send_to(s, id, NULL);
}

/* The KEK may appear while we run. */
static void
look_for_kek(struct keyserver *s)
{
	uint8_t kek[32];
	struct err err = ERR_INIT;

	if (keystore_has_kek(s->store) || home_secret_key(s->home, "kek", kek, &err) != 0)
		return;
	if (keystore_set_kek(s->store, kek, &err) == 0) {
		s->kek_was_wrong = false;
		log_info("keys.open", "slots=%ju", (uintmax_t)keystore_end(s->store));
	} else if (!s->kek_was_wrong) {
		s->kek_was_wrong = true;
		log_error("keys.kek", "cause=\"%s\" hint=\"put the right file secrets/kek back\"",
		    err.text);
	}
	crypt_wipe(kek, sizeof(kek));
}

/* One page from `from` on into s->out. A `from` beyond the end was learnt from another store than this:
 * the asker is told to begin again. */
static int
page(struct keyserver *s, const char *campaign, uint64_t from, uint64_t *ret_next, bool *ret_done,
    struct err *err)
{
	struct keys_row *rows = xcalloc(KEYS_ROWS_MAX, sizeof(*rows));
	uint64_t end = keystore_end(s->store), next = from > end ? 0 : from;
	uint32_t n = 0;
	int rc = from > end ? 0 : 1;

	while (rc == 1 && n < KEYS_ROWS_MAX) {
		rc = keystore_next(s->store, campaign, next, &rows[n], &next, err);
		n += rc == 1;
	}
	if (rc >= 0) {
		*ret_next = next;
		*ret_done = from <= end && next >= end;
		buf_clear(&s->out);
		keys_encode_rows(&s->out, next, *ret_done, n);
		for (uint32_t i = 0; i < n; i++)
			keys_encode_row(&s->out, &rows[i]);
	}
	crypt_wipe(rows, KEYS_ROWS_MAX * sizeof(*rows));
	free(rows);
	return rc < 0 ? -1 : 0;
}

static void
follow(struct keyserver *s, struct span id, const char *campaign, uint64_t next)
{
	struct follower *at = NULL;

	for (size_t i = 0; i < KEY_FOLLOWERS_MAX; i++) {
		struct follower *f = &s->follower[i];

		if (f->id_len == 0)
			at = at == NULL ? f : at;
		else if (span_eq(span_of(f->id, f->id_len), id) &&
		         strcmp(f->campaign, campaign) == 0) {
			at = f;
			break;
		}
	}
	if (at == NULL || id.len == 0 || id.len > sizeof(at->id))
		return; /* it is told nothing unasked, and asks every few seconds */
	memcpy(at->id, id.data, id.len);
	at->id_len = id.len;
	memcpy(at->campaign, campaign, sizeof(at->campaign));
	at->next = next;
}

/* What is new goes to whoever follows. */
static void
push(struct keyserver *s)
{
	struct err err = ERR_INIT;
	bool done;

	for (size_t i = 0; i < KEY_FOLLOWERS_MAX; i++) {
		struct follower *f = &s->follower[i];

		while (f->id_len > 0 && f->next < keystore_end(s->store)) {
			uint64_t next = 0;

			if (page(s, f->campaign, f->next, &next, &done, &err) != 0 ||
			    !send_to(s, span_of(f->id, f->id_len), &err))
				f->id_len = 0;
			f->next = next;
		}
	}
}

static int
on_load(struct keyserver *s, struct span id, const struct keys_msg *m, struct err *err)
{
	uint64_t next;
	bool done;

	if (page(s, m->campaign, m->from, &next, &done, err) != 0)
		return -1;
	if (send_to(s, id, NULL) && done)
		follow(s, id, m->campaign, next);
	return 0;
}

static int
on_add(struct keyserver *s, struct span id, struct keys_msg *m, struct err *err)
{
	struct keys_row *rows = xcalloc(KEYS_ROWS_MAX, sizeof(*rows));
	size_t n = 0, fresh = 0;
	int rc;

	while (keys_row_next(m, &rows[n]))
		n++;
	rc = keystore_add(s->store, m->campaign, rows, n, &fresh, err);
	crypt_wipe(rows, KEYS_ROWS_MAX * sizeof(*rows));
	free(rows);
	if (rc != 0)
		return -1;
	buf_clear(&s->out);
	keys_encode_added(&s->out, fresh);
	(void)send_to(s, id, NULL);
	log_info("keys.added", "campaign=%s new=%zu of=%zu", m->campaign, fresh, n);
	push(s);
	return 0;
}

static int
on_shred(struct keyserver *s, struct span id, const struct keys_msg *m, struct err *err)
{
	if (keystore_shred(s->store, m->campaign, m->case_id, err) != 0)
		return -1;
	buf_clear(&s->out);
	keys_encode_shredded(&s->out);
	(void)send_to(s, id, NULL);
	log_info("keys.shredded", "campaign=%s", m->campaign);
	push(s);
	return 0;
}

static void
on_message(struct keyserver *s, struct span id, struct span frame)
{
	struct keys_msg m;
	struct err err = ERR_INIT;
	int rc = keys_decode(&m, frame, &err);

	look_for_kek(s);
	if (rc == 0) {
		switch (m.kind) {
		case KEYS_LOAD: rc = on_load(s, id, &m, &err); break;
		case KEYS_ADD: rc = on_add(s, id, &m, &err); break;
		case KEYS_SHRED: rc = on_shred(s, id, &m, &err); break;
		case KEYS_ROWS:
		case KEYS_ADDED:
		case KEYS_SHREDDED:
		case KEYS_ERROR:
			rc = err_set(&err, ERR_INVALID, "this is an answer, not a request");
			break;
		}
	}
	if (rc != 0) {
		log_warn("keys.refused", "cause=\"%s\"", err.text);
		answer_error(s, id, &err);
	}
}

static void
on_ready_to_read(void *arg)
{
	struct keyserver *s = arg;
	struct err err = ERR_INIT;
	struct zmsg m;

	for (int i = 0; i < KEY_TURN; i++) {
		int rc = zsock_recv(s->sock, &m, &err);

		if (rc < 0)
			log_error("keys.socket", "cause=\"%s\"", err.text);
		if (rc <= 0)
			return;
		if (m.parts == 2)
			on_message(s, m.part[0], m.part[1]);
		zmsg_done(&m);
	}
}

static void
on_stop(void *arg)
{
	struct keyserver *s = arg;

	loop_stop(s->loop);
}

/* ---- set-up ------------------------------------------------------------------------------------- */

static int
open_store(struct keyserver *s, bool with_copy, bool wait, struct err *err)
{
	char path[PATH_MAX], copy[PATH_MAX];
	struct keystore_health health;

	if ((size_t)snprintf(path, sizeof(path), "%s/keys/store", s->home->dir) >= sizeof(path) ||
	    (size_t)snprintf(copy, sizeof(copy), "%s/keys/store", s->home->archive) >= sizeof(copy))
		return err_set(err, ERR_INVALID, "HF_HOME or archive: path too long");
	for (int i = 0; i < (with_copy ? 2 : 1); i++) {
		char *file = i == 0 ? path : copy;

		*strrchr(file, '/') = '\0';
		if (file_mkdirs(file, 0700, err) != 0)
			return -1;
		file[strlen(file)] = '/';
	}
	if (keystore_open(&s->store, path, with_copy ? copy : NULL, wait, &health, err) != 0)
		return -1;
	if (health.damaged > 0 || health.restored > 0)
		log_warn("keys.repaired",
		    "slots=%ju restored=%ju damaged=%ju hint=\"damaged slots "
		    "are keys that no file has any more: put keys/store back from a backup\"",
		    (uintmax_t)health.slots, (uintmax_t)health.restored, (uintmax_t)health.damaged);
	return 0;
}

static int
open_socket(struct keyserver *s, struct err *err)
{
	struct zsock_opts o = {.type = ZSOCK_ROUTER,
	    .max_msg = KEYS_MSG_MAX,
	    .rcvhwm = 256,
	    .sndhwm = 256,
	    .handshake_ms = 3000,
	    .heartbeat_ms = 0};

	s->sock = zsock_create(s->zctx, s->loop, &o, on_ready_to_read, s, err);
	if (s->sock == NULL || zsock_bind(s->sock, s->home->keys, NULL, err) != 0)
		return err_wrap(err, "%s", s->home->keys);
	if (strncmp(s->home->keys, "ipc://", 6) == 0 && chmod(s->home->keys + 6, 0770) != 0)
		return err_sys(err, "setting the mode of %s", s->home->keys + 6);
	return 0;
}

int
keyserver_run(
    const struct home *h, bool with_copy, void (*on_ready)(void *), void *arg, struct err *err)
{
	struct keyserver *s = xcalloc(1, sizeof(*s));
	int rc;

	s->home = h;
	rc = open_store(s, with_copy, false, err);
	if (rc != 0 && err->code == ERR_BUSY) {
		log_info("keys.standby", "hint=\"another hf-recorder serves the keys\"");
		on_ready(arg);
		on_ready = NULL;
		rc = open_store(s, with_copy, true, err);
	}
	if (rc == 0) {
		s->loop = loop_create();
		s->zctx = zctx_create(1, 64);
		loop_on_signal(s->loop, SIGTERM, on_stop, s);
		loop_on_signal(s->loop, SIGINT, on_stop, s);
		rc = open_socket(s, err);
	}
	if (rc == 0) {
		look_for_kek(s);
		if (on_ready != NULL)
			on_ready(arg);
		loop_run(s->loop);
	}
	zsock_destroy(s->sock);
	if (s->zctx != NULL)
		zctx_destroy(s->zctx);
	if (s->loop != NULL)
		loop_destroy(s->loop);
	keystore_close(s->store);
	buf_done(&s->out);
	free(s);
	return rc;
}
