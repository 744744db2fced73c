/* cmd_policy.c - policy show, apply, approve, refuse: the rules of the campaign as a file with a version.
 *
 * Happy path: hf-router reads the file against the one in force and says what is changed and whom it concerns;
 * then it goes out as one POLICY record and waits for another person's approve. Failures: a file with a problem
 * (65, each with its line), a version that is not newer, a file that changes nothing, one's own approval. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/policy.h"
#include "ctl/say.h"
#include "ctl/show.h"
#include "ctl/trial.h"
#include "proto/keys.h"

#define FILE_MAX 60000

/* What the router holds of policies. */
struct held {
	struct buf text;
	char by[33], second[33], proposer[33];
	int64_t since;
	uint8_t ob[16];
	uint64_t seq, version; /* of the proposal; seq 0: none */
};

/* "key=" in the router's book; out gets its value. */
static bool
word_of(const char *book, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);

	for (const char *at = book; at != NULL && *at != '\0';) {
		if (strncmp(at, key, n) == 0 && at[n] == '=') {
			(void)snprintf(
			    out, size, "%.*s", (int)strcspn(at + n + 1, " "), at + n + 1);
			return true;
		}
		at = strchr(at, ' ');
		at = at == NULL ? NULL : at + 1;
	}
	return false;
}

static void
read_book(struct held *p, const char *book)
{
	char value[160], hex[33] = "";

	if (word_of(book, "policy_by", value, sizeof(value)) &&
	    sscanf(value, "%32[^:]:%32[^:]:%" SCNd64, p->by, p->second, &p->since) != 3)
		p->by[0] = '\0';
	if (word_of(book, "proposal", value, sizeof(value)) &&
	    (sscanf(value, "%32[^:]:%" SCNu64 ":%" SCNu64 ":%32s", hex, &p->seq, &p->version,
	         p->proposer) != 4 ||
	        !hex_decode(p->ob, 16, hex, strlen(hex))))
		p->seq = 0;
}

static int
read_held(struct ctl *c, struct held *p, bool waiting, struct err *err)
{
	char key[96], shipped[600];
	struct buf book = BUF_INIT;
	const struct rds_reply *r;
	struct span argv[5] = {span_str("HMGET"), {NULL, 0}, span_str("book"), span_str("policy"),
	    span_str("proposal")};
	struct span text;
	int got = 0;

	memset(p, 0, sizeof(*p));
	if (ctl_campaign(c, err) != 0)
		return -1;
	argv[1] = span_str(call_key(key, sizeof(key), c->campaign, "router"));
	if (ctl_cmd(c, argv, 5, &r, err) != 0)
		return -1;
	buf_add(&book, rds_str(rds_at(r, 0)).data, rds_str(rds_at(r, 0)).len);
	text = rds_str(rds_at(r, waiting ? 2 : 1));
	buf_add(&p->text, text.data, text.len);
	rds_sync_free(r);
	if (book.len > 0)
		read_book(p, (const char *)book.data);
	buf_done(&book);
	if (p->text.len == 0 && !waiting)
		got = file_read(&p->text,
		    ctl_share(shipped, sizeof(shipped), "policy/default.policy"), FILE_MAX, err);
	return got;
}

int
policy_text(struct ctl *c, struct buf *ret, struct err *err)
{
	struct held p;
	int got = read_held(c, &p, false, err);

	*ret = p.text;
	return got;
}

int
policy_setting(struct ctl *c, const char *name, int *ret, struct err *err)
{
	struct held p;
	char *line, *rest;
	size_t n = strlen(name);

	if (read_held(c, &p, false, err) != 0)
		return -1;
	for (line = strtok_r((char *)p.text.data, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *bar = strchr(line, '|');

		if (strncmp(line, "set", 3) != 0 || bar == NULL)
			continue;
		bar += 1 + strspn(bar + 1, " ");
		if (strncmp(bar, name, n) != 0 || (bar[n] != ' ' && bar[n] != '|') ||
		    (bar = strchr(bar, '|')) == NULL)
			continue;
		*ret = (int)strtol(bar + 1, NULL, 10);
	}
	buf_done(&p.text);
	return 0;
}

/* ---- show ---- */

/* Field n of a policy's line, without blanks. */
static struct span
field(struct span line, int n)
{
	const char *at = (const char *)line.data, *end = at + line.len;

	for (; n > 0 && at < end; n--) {
		const char *bar = memchr(at, '|', (size_t)(end - at));

		at = bar == NULL ? end : bar + 1;
	}
	const char *bar = at < end ? memchr(at, '|', (size_t)(end - at)) : NULL;
	const char *stop = bar == NULL ? end : bar;

	while (at < stop && *at == ' ')
		at++;
	while (stop > at && (stop[-1] == ' ' || stop[-1] == '\r'))
		stop--;
	return span_of(at, (size_t)(stop - at));
}

static void
put_line(json_t *o, json_t *settings, json_t *questions, struct span line)
{
	struct span word = field(line, 0), name = field(line, 1), value = field(line, 2);
	json_t *into = span_eq_str(word, "set") ? settings : NULL;
	char key[64];

	if (span_eq_str(word, "question"))
		into = questions;
	if (into != NULL) {
		(void)snprintf(key, sizeof(key), "%.*s", (int)name.len, (const char *)name.data);
		(void)json_object_set_new(
		    into, key, json_stringn((const char *)value.data, value.len));
	} else if (span_eq_str(word, "policy")) {
		struct span author = field(line, 3);

		(void)snprintf(key, sizeof(key), "%.*s", (int)name.len, (const char *)name.data);
		(void)json_object_set_new(o, "version", json_integer(strtol(key, NULL, 10)));
		(void)json_object_set_new(
		    o, "date", json_stringn((const char *)value.data, value.len));
		(void)json_object_set_new(
		    o, "author", json_stringn((const char *)author.data, author.len));
	}
}

static json_t *
policy_json(const struct held *p, bool waiting)
{
	json_t *o = json_object(), *settings = json_object(), *questions = json_object();
	const uint8_t *at = p->text.data, *end = at + p->text.len;

	while (at < end) {
		const uint8_t *nl = memchr(at, '\n', (size_t)(end - at));
		const uint8_t *stop = nl == NULL ? end : nl;

		put_line(o, settings, questions, span_of(at, (size_t)(stop - at)));
		at = nl == NULL ? end : nl + 1;
	}
	(void)json_object_set_new(o, "proposed_by", json_string(waiting ? p->proposer : p->by));
	(void)json_object_set_new(o, "approved_by", json_string(waiting ? "" : p->second));
	(void)json_object_set_new(o, "since", json_integer(waiting ? 0 : p->since));
	(void)json_object_set_new(
	    o, "waiting", json_integer(p->seq == 0 ? 0 : (json_int_t)p->version));
	(void)json_object_set_new(o, "settings", settings);
	(void)json_object_set_new(o, "questions", questions);
	return o;
}

static int
policy_show(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool waiting = opt_take(&argc, argv, "--waiting", false) != NULL;
	struct held p;
	char since[32];

	if (argc != 0)
		return ctl_usage(err, verbs_policy, "policy", "show");
	if (read_held(c, &p, waiting, err) != 0)
		return -1;
	if (waiting && p.seq == 0) {
		buf_done(&p.text);
		return err_set(err, ERR_NOT_FOUND, "没有等第二个人同意的政策");
	}
	if (c->json) {
		json_t *o = policy_json(&p, waiting);

		json_dumpf(o, stdout, JSON_COMPACT);
		printf("\n");
		json_decref(o);
	} else {
		clock_text(since, p.since);
		if (waiting)
			printf("# 提出 %s, 等第二个人: hfctl policy approve\n", p.proposer);
		else if (p.by[0] != '\0')
			printf("# 提出 %s, 同意 %s, %s 起\n", p.by, p.second, since);
		else
			printf("# 随程序来的默认政策\n");
		if (!waiting && p.seq != 0)
			printf("# 版本 %" PRIu64
			       " (%s 提出) 在等第二个人: hfctl policy show --waiting\n",
			    p.version, p.proposer);
		(void)fwrite(p.text.data, 1, p.text.len, stdout);
	}
	buf_done(&p.text);
	return 0;
}

/* ---- apply ---- */

static int
propose(struct ctl *c, const char *file, const struct trial *t, struct err *err)
{
	struct acts *a = NULL;
	struct buf text = BUF_INIT;
	struct body body = {.text = {NULL, 0}};
	struct record_header h;
	uint8_t key[32];
	int got = file_read(&text, file, FILE_MAX, err);

	if (got == 0)
		got = acts_open(c, &a, err);
	if (got == 0)
		got = show_reserved_key(c, KEYS_REF_CAMPAIGN, key, err);
	if (got == 0) {
		body.text = buf_span(&text);
		h = acts_header(a, REC_POLICY);
		field_set_u(&h, F_policy, (uint64_t)t->next);
		got = acts_add(a, &h, &body, key, err);
		if (got == 0)
			got = acts_done(a, err);
		crypt_wipe(key, sizeof(key));
	}
	acts_close(a);
	buf_done(&text);
	return got;
}

static int
policy_apply(struct ctl *c, int argc, char **argv, struct err *err)
{
	bool dry = opt_take(&argc, argv, "--dry-run", false) != NULL;
	struct trial t = {.was = 0};
	int got;

	if (opt_none_left(argc, argv, err) != 0)
		return -1;
	if (argc != 1)
		return ctl_usage(err, verbs_policy, "policy", "apply");
	if (ctl_campaign(c, err) != 0)
		return -1;
	t.removed = json_array();
	t.added = json_array();
	t.persons = json_object();
	got = trial_run(c, argv[0], &t, err);
	if (got == 0 && json_array_size(t.removed) + json_array_size(t.added) == 0)
		got = err_set(err, ERR_STALE, "和现在的政策一样, 没有可改的");
	if (got == 0 && t.next <= t.was)
		got = err_set(err, ERR_STALE,
		    "policy 行的版本号是 %ld, 要比现在的 %ld 大; 每改一次加 1", t.next, t.was);
	if (got == 0)
		got = trial_pay(c, argv[0], &t, err);
	if (got == 0 && !dry)
		got = propose(c, argv[0], &t, err);
	if (got == 0)
		trial_print(c, &t, dry);
	json_decref(t.removed);
	json_decref(t.added);
	json_decref(t.persons);
	json_decref(t.pay);
	return got;
}

/* ---- the second person ---- */

static int
decide(struct ctl *c, const char *verb, const char *verdict, int argc, struct err *err)
{
	struct record_header h = {.kind = REC_APPROVAL};
	struct held p;
	uint64_t version;
	name_t me;

	if (argc != 0)
		return ctl_usage(err, verbs_policy, "policy", verb);
	if (read_held(c, &p, true, err) != 0)
		return -1;
	buf_done(&p.text);
	if (p.seq == 0)
		return err_set(err, ERR_NOT_FOUND, "没有等第二个人同意的政策");
	if (say_actor(c, me, err) != 0)
		return -1;
	if (strcmp(me, p.proposer) == 0)
		return err_set(err, ERR_DENIED,
		    "版本 %" PRIu64 " 是 %s 自己提出的, 要另一个人来决定", p.version, me);
	version = p.version;
	field_set_b(&h, F_ref_ob, p.ob, 16);
	field_set_u(&h, F_ref_seq, p.seq);
	field_set_s(&h, F_verdict, verdict);
	if (say_one(c, &h, err) != 0)
		return -1;
	if (read_held(c, &p, true, err) != 0)
		return -1;
	buf_done(&p.text);
	if (p.seq == h.f[F_ref_seq].u)
		return err_set(err, ERR_DENIED, "没有生效: %s 不是数据组、管理员或回访组长", me);
	printf(
	    "版本 %" PRIu64 " %s\n", version, strcmp(verdict, "give") == 0 ? "已生效" : "已退回");
	return 0;
}

static int
policy_approve(struct ctl *c, int argc, char **argv, struct err *err)
{
	(void)argv;
	return decide(c, "approve", "give", argc, err);
}

static int
policy_refuse(struct ctl *c, int argc, char **argv, struct err *err)
{
	(void)argv;
	return decide(c, "refuse", "refuse", argc, err);
}

const struct verb verbs_policy[] = {
    {"policy", "show", policy_show, "[--waiting]", "现在的政策, 谁提出, 谁同意"},
    {"policy", "apply", policy_apply, "FILE [--dry-run]",
        "提出新政策: 改了什么, 关系到谁; 等第二个人"},
    {"policy", "approve", policy_approve, "", "同意等着的政策, 马上生效"},
    {"policy", "refuse", policy_refuse, "", "退回等着的政策"},
    {NULL, NULL, NULL, NULL, NULL},
};
