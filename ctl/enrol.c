/* enrol.c - agent enrol --all: the first morning. Everybody without a key gets one, a directory and a slip.
 *
 * Happy path: who is known, active and has no key is listed; keys and PINs are made; the page of slips is on the
 * disk before any record is said, since a PIN stands nowhere else; then ENROL for each, and the effect is waited for.
 * Cut off, it is run again: who has no key in the campaign yet gets a new PIN. Failures: the page is there already
 * (it may hold PINs that are in use: never overwritten), nobody is left, no broker (exit 75: the slips are good). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "ctl/enrol.h"
#include "ctl/say.h"
#include "ctl/slips.h"
#include "proto/roles.h"
#include "workers/link/helper.h"
#include "workers/link/names.h"

int
enrol_keys(struct ctl *c, struct enrolment *e, struct err *err)
{
	char path[600];
	uint8_t sk[32];
	struct person_key key;
	const char *pin = e->pin[0] != '\0' ? e->pin : NULL;

	snprintf(path, sizeof(path), "%s/agent.conf", e->out);
	memcpy(e->id.campaign, c->campaign, sizeof(e->id.campaign));
	snprintf(e->id.brokers, sizeof(e->id.brokers), "%s", c->home.broker);
	if (access(path, F_OK) == 0) {
		if (identity_load(&e->id, e->out, err) != 0)
			return -1;
	} else {
		if (home_keypair(&c->home, "broker", HOME_CURVE, e->id.broker_key, sk, err) != 0 ||
		    home_keypair(&c->home, "recorder", HOME_SIGN, e->id.recorder_key, sk, err) != 0)
			return -1;
		crypt_wipe(sk, sizeof(sk));
		if (identity_create(&e->id, e->out, err) != 0)
			return -1;
	}
	if (strcmp(e->id.campaign, c->campaign) != 0)
		return err_set(err, ERR_INVALID, "%s 属于活动 %s", e->out, e->id.campaign);
	snprintf(path, sizeof(path), "%s/persons/%s.key", e->out, e->person);
	if (access(path, F_OK) != 0) {
		e->added = true;
		return identity_add_person(&e->id, e->person, pin, e->person_pk, err);
	}
	if (e->again)
		return identity_reset_pin(&e->id, e->person, pin, e->person_pk, &e->added, err);
	if (identity_open_person(&e->id, e->person, pin, &key, err) != 0)
		return -1;
	memcpy(e->person_pk, key.pk, 32);
	person_key_done(&key);
	return 0;
}

/* ---- everybody ---- */

struct one {
	struct say_person p;
	char out[512], roles[160], *name, pin[PIN_SIZE];
};

struct all {
	struct one *people;
	size_t n, cap;
};

static void
add_one(void *arg, const struct say_person *p)
{
	struct all *all = arg;
	struct one *o;

	if (p->enrolled || !p->active || (p->roles & ~(uint64_t)ROLE_SYSTEM) == 0)
		return;
	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 64 : 2 * all->cap;
		all->people = reallocarray(all->people, all->cap, sizeof(*all->people));
		if (all->people == NULL)
			abort();
	}
	o = &all->people[all->n++];
	*o = (struct one){.p = *p};
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		size_t len = strlen(o->roles);

		if ((p->roles & bit) != 0 && role_zh(bit) != NULL)
			snprintf(o->roles + len, sizeof(o->roles) - len, "%s%s",
			    len == 0 ? "" : "、", role_zh(bit));
	}
}

static int
by_team(const void *a, const void *b)
{
	const struct one *x = a, *y = b;
	int by = strcmp(x->p.team, y->p.team);

	return by != 0 ? by : strcmp(x->p.person, y->p.person);
}

/* Names come from the people's sheet and stay in the directories: the campaign knows none. */
static int
on_name(void *arg, json_t *line, struct err *err)
{
	struct all *all = arg;
	const char *person = json_string_value(json_object_get(line, "person"));
	const char *name = json_string_value(json_object_get(line, "name"));

	(void)err;
	for (size_t i = 0; person != NULL && name != NULL && i < all->n; i++) {
		if (strcmp(all->people[i].p.person, person) == 0) {
			free(all->people[i].name);
			all->people[i].name = strdup(name);
		}
	}
	return 0;
}

static int
write_slips(
    struct ctl *c, const struct all *all, const char *path, const char *url, struct err *err)
{
	struct slip *slips = calloc(all->n, sizeof(*slips));
	struct buf page = BUF_INIT;
	int got;

	if (slips == NULL)
		abort();
	for (size_t i = 0; i < all->n; i++) {
		const struct one *o = &all->people[i];

		slips[i] = (struct slip){
		    o->p.person, o->name != NULL ? o->name : "", o->p.team, o->roles, o->pin};
	}
	got = slips_page(&page, c->campaign, url, slips, all->n, err);
	if (got == 0)
		got = file_replace(path, buf_span(&page), 0600, err);
	if (page.data != NULL)
		crypt_wipe(page.data, page.cap);
	buf_done(&page);
	free(slips);
	return got;
}

/* Keys of all on the disk, the page, then the records. */
static int
make_all(struct ctl *c, struct all *all, const char *dir, const char *page, const char *url,
    struct acts *a, struct err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		struct one *o = &all->people[i];
		struct enrolment e = {.person = o->p.person, .out = o->out, .again = true};
		struct record_header h;
		int got;

		snprintf(o->out, sizeof(o->out), "%.470s/%s", dir, o->p.person);
		pin_make(o->pin);
		memcpy(e.pin, o->pin, sizeof(e.pin));
		got = enrol_keys(c, &e, err);
		if (got == 0 && o->name != NULL)
			got = names_put(o->out, o->p.person, o->name, err);
		crypt_wipe(e.pin, sizeof(e.pin));
		h = pin_enrolment(a, &e.id, o->p.person, e.person_pk);
		identity_done(&e.id);
		if (got != 0 || (got = acts_add(a, &h, NULL, NULL, err)) != 0)
			return got;
	}
	return write_slips(c, all, page, url, err);
}

static int
enrol_them(struct ctl *c, struct all *all, const char *dir, const char *page, const char *url,
    struct err *err)
{
	struct acts *a;
	int got;

	if (file_mkdirs(dir, 0700, err) != 0 || acts_open(c, &a, err) != 0)
		return -1;
	got = make_all(c, all, dir, page, url, a, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	if (got == 0 && c->json)
		printf("{\"enrolled\":%zu,\"slips\":\"%s\"}\n", all->n, page);
	else if (got == 0)
		printf("%zu 人已登记, 目录在 %s; 登录条 %s: 打印后请删掉\n", all->n, dir, page);
	return got;
}

int
enrol_all(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *dir = opt_take(&argc, argv, "--out", true),
	           *page = opt_take(&argc, argv, "--slips", true),
	           *url = opt_take(&argc, argv, "--url", true),
	           *names = opt_take(&argc, argv, "--names", true);
	struct all all = {NULL, 0, 0};
	int got = -1;

	if (argc != 0 || dir == NULL || page == NULL)
		return err_set(err, ERR_INVALID,
		    "usage: hfctl agent enrol --all --out DIR --slips FILE [--url U] [--names "
		    "FILE]");
	if (access(page, F_OK) == 0)
		return err_set(
		    err, ERR_EXISTS, "%s 已经有了, 里面可能有在用的口令: 换个文件名", page);
	if (ctl_campaign(c, err) == 0 && say_people(c, add_one, &all, err) == 0 &&
	    (names == NULL || helper_import("people", names, NULL, on_name, &all, err) == 0)) {
		qsort(all.people, all.n, sizeof(*all.people), by_team);
		got = all.n == 0 ? err_set(err, ERR_NOT_FOUND,
		                       "没有还没登记的人 (先 hfctl people import 或 person set)")
		                 : enrol_them(c, &all, dir, page,
		                       url != NULL ? url : "http://127.0.0.1:8380", err);
	}
	for (size_t i = 0; i < all.n; i++)
		free(all.people[i].name);
	if (all.people != NULL)
		crypt_wipe(all.people, all.cap * sizeof(*all.people));
	free(all.people);
	return got;
}
