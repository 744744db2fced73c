/* say.c - one record as one verb, and what is looked up before it is said.
 *
 * Happy path: say_one stores, sends, and returns when the router has folded it. Failures: no effect within
 * 10 s (exit 75), a role that may not (77); a name or reason that cannot be right is refused before anything
 * is stored. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "proto/keys.h"
#include "workers/link/identity.h"
#include "workers/link/keyclient.h"

#define REASON_BYTES 48
#define NOTE_BYTES   4000

int
say_one(struct ctl *c, struct record_header *h, struct err *err)
{
	struct acts *a;
	int got;

	if (acts_open(c, &a, err) != 0)
		return -1;
	memcpy(h->person, acts_header(a, h->kind).person, sizeof(h->person));
	got = acts_add(a, h, NULL, NULL, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	return got;
}

static int
seal_key(struct ctl *c, const struct record_header *h, uint8_t key[32], struct err *err)
{
	struct keyclient *k;
	int got;

	if (!h->has_case)
		return show_reserved_key(c, KEYS_REF_CAMPAIGN, key, err);
	k = keyclient_create(c->home.keys);
	got = keyclient_get(k, c->campaign, h->case_id, key, err);
	keyclient_destroy(k);
	return got;
}

int
say_noted(struct ctl *c, struct record_header *h, const char *note, struct err *err)
{
	struct body body = {.note = {NULL, 0}};
	uint8_t key[32];
	struct acts *a;
	int got;

	if (note == NULL)
		return say_one(c, h, err);
	if (note[0] == '\0' || strlen(note) > NOTE_BYTES)
		return err_set(err, ERR_INVALID, "--note 要 1 到 %d 个字节", NOTE_BYTES);
	if (seal_key(c, h, key, err) != 0)
		return -1;
	if (acts_open(c, &a, err) != 0) {
		crypt_wipe(key, sizeof(key));
		return -1;
	}
	body.note = span_str(note);
	memcpy(h->person, acts_header(a, h->kind).person, sizeof(h->person));
	got = acts_add(a, h, &body, key, err);
	if (got == 0)
		got = acts_done(a, err);
	acts_close(a);
	crypt_wipe(key, sizeof(key));
	return got;
}

void
say_case(struct record_header *h, const uint8_t case_id[16])
{
	h->has_case = true;
	memcpy(h->case_id, case_id, 16);
}

int
say_reason(struct record_header *h, const char *text, const char *instead, struct err *err)
{
	if (text == NULL)
		text = instead;
	if (text == NULL || text[0] == '\0' || strlen(text) > REASON_BYTES)
		return err_set(err, ERR_INVALID, "--reason 要 1 到 %d 个字节 (汉字 3 个字节一个)",
		    REASON_BYTES);
	field_set_s(h, F_reason, text);
	return 0;
}

int
say_actor(struct ctl *c, name_t person, struct err *err)
{
	struct identity id = {.dir = ""};
	char dir[600];
	int got;

	if (c->as != NULL) {
		if (!text_is_id(c->as, strlen(c->as)))
			return err_set(err, ERR_INVALID, "--as 要一个人员编号");
		(void)snprintf(person, sizeof(name_t), "%s", c->as);
		return 0;
	}
	(void)snprintf(dir, sizeof(dir), "%s/ctl/%s", c->home.dir, c->campaign);
	if (identity_load(&id, dir, err) != 0)
		return -1;
	got = identity_only_person(&id, person, err);
	identity_done(&id);
	return got != 0 ? err_wrap(err, "--as PERSON") : 0;
}

/* "<roles> <team or -> <qualified> <key> <active>" */
static bool
parse_person(struct say_person *p, struct span name, struct span row)
{
	char text[256], key[72];
	unsigned long roles;
	int qualified, active;

	if (row.len == 0 || row.len >= sizeof(text) || name.len >= sizeof(name_t))
		return false;
	memset(p, 0, sizeof(*p));
	memcpy(p->person, name.data, name.len);
	memcpy(text, row.data, row.len);
	text[row.len] = '\0';
	if (sscanf(text, "%lu %32s %d %71s %d", &roles, p->team, &qualified, key, &active) != 5)
		return false;
	if (strcmp(p->team, "-") == 0)
		p->team[0] = '\0';
	p->roles = roles;
	p->qualified = qualified == 1;
	p->active = active == 1;
	p->enrolled = strcmp(key, "-") != 0;
	return true;
}

int
say_person(struct ctl *c, const char *person, struct say_person *ret, struct err *err)
{
	char path[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"),
	    span_str(call_key(path, sizeof(path), c->campaign, "persons")), span_str(person)};
	bool ok;

	if (!text_is_id(person, strlen(person)))
		return err_set(err, ERR_INVALID, "人员编号只能用 a-z 0-9 _ -, 最长 32 个字符");
	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	ok = parse_person(ret, span_str(person), rds_str(r));
	rds_sync_free(r);
	return ok ? 0 : err_set(err, ERR_NOT_FOUND, "没有这个人: %s (hfctl person set)", person);
}

int
say_people(struct ctl *c, say_person_fn *fn, void *arg, struct err *err)
{
	char path[96];
	const struct rds_reply *r;
	struct span argv[2] = {
	    span_str("HGETALL"), span_str(call_key(path, sizeof(path), c->campaign, "persons"))};
	struct say_person p;

	if (ctl_cmd(c, argv, 2, &r, err) != 0)
		return -1;
	for (size_t i = 0; i + 1 < rds_len(r); i += 2) {
		if (parse_person(&p, rds_str(rds_at(r, i)), rds_str(rds_at(r, i + 1))))
			fn(arg, &p);
	}
	rds_sync_free(r);
	return 0;
}

int
say_where(struct ctl *c, const uint8_t case_id[16], const char *done, struct err *err)
{
	struct buf text = BUF_INIT;
	struct case_state s;
	char hex[33], lane[128], due[32];
	int got = show_state(c, case_id, &text, &s, err);

	if (got == 0 && c->json) {
		json_t *o;

		hex_encode(hex, case_id, 16);
		o = json_pack("{s:s s:s s:s s:b s:I s:s}", "case", hex, "lane", s.lane, "owner",
		    s.owner, "held", s.held, "due", (json_int_t)s.due, "why", s.why);
		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
	} else if (got == 0) {
		clock_text(due, s.due);
		printf("%s: %s, %s%s\n", done, show_lane(lane, s.lane), show_why(s.why),
		    s.held ? " (有人正拿着, 放下后生效)" : "");
	}
	buf_done(&text);
	return got;
}
