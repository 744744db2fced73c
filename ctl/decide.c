/* decide.c - the second person for what has no case: reads who waits, says the DECISION.
 *
 * Happy path: a head gives or refuses, the first decision holds, and the answer comes when the ledger has it.
 * Failures: one's own record, a role that may not (the broker's word), PostgreSQL away. */
#include "ctl/decide.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/say.h"

#define WAIT_US 30000000

static const struct {
	const char *what, *zh;
} words[] = {
    {"frozen", "冻结录取名单 (人)"},
    {"pay", "补贴表 (人)"},
    {"supplement", "补发表 (人)"},
    {"slack", "懈怠认定 (N1)"},
    {"wrong-withdrawal", "误退认定 (N3)"},
    {"deduction", "扣发 (N5, %)"},
    {"lifted", "撤销认定"},
    {"dispute", "异议"},
};

static const char *
in_words(const char *what)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].what, what) == 0)
			return words[i].zh;
	return what;
}

static void
copy(char *out, size_t size, struct span s)
{
	(void)snprintf(out, size, "%.*s", (int)s.len, (const char *)s.data);
}

static bool
read_row(struct undecided *u, const struct pg_result *r, int i)
{
	struct span ob = pg_get(r, i, 6);

	memset(u, 0, sizeof(*u));
	u->no = pg_get_i64(r, i, 0);
	copy(u->person, sizeof(u->person), pg_get(r, i, 1));
	copy(u->what, sizeof(u->what), pg_get(r, i, 2));
	copy(u->subject, sizeof(u->subject), pg_get(r, i, 3));
	u->n = pg_get_i64(r, i, 4);
	u->at = pg_get_i64(r, i, 5);
	u->seq = (uint64_t)pg_get_i64(r, i, 7);
	return hex_decode(u->ob, 16, (const char *)ob.data, ob.len);
}

int
decide_each(struct ctl *c, int64_t no, undecided_fn *fn, void *arg, struct err *err)
{
	struct pg_param p[2];
	struct pg_result *r;
	struct undecided u;

	if (ctl_campaign(c, err) != 0 || ctl_pg(c, "hf_read", err) != 0)
		return -1;
	p[0] = pg_text(c->campaign);
	p[1] = pg_i64(no);
	if (pg_exec(c->pg,
	        "SELECT no, person, what, coalesce(subject, ''), coalesce(n, -1), campaign_at, "
	        "encode(ob, 'hex'), seq FROM hf.v_undecided WHERE campaign = $1 AND ($2 = 0 OR no "
	        "= $2) ORDER BY no",
	        p, 2, &r, err) != 0)
		return err_wrap(err, "PostgreSQL");
	for (int i = 0; i < pg_rows(r); i++)
		if (read_row(&u, r, i))
			fn(arg, &u);
	pg_free(r);
	return 0;
}

static void
add_one(void *arg, const struct undecided *u)
{
	char ob[33];

	hex_encode(ob, u->ob, 16);
	json_array_append_new(
	    arg, json_pack("{s:I s:s s:s s:s s:I s:I s:s s:I}", "no", (json_int_t)u->no, "person",
	             u->person, "what", u->what, "subject", u->subject, "n", (json_int_t)u->n, "at",
	             (json_int_t)u->at, "ob", ob, "seq", (json_int_t)u->seq));
}

static void
print_one(void *arg, const struct undecided *u)
{
	char at[32], n[24] = "";

	add_one(arg, u);
	clock_text(at, u->at);
	if (u->n >= 0)
		(void)snprintf(n, sizeof(n), "%" PRId64, u->n);
	printf("%-6" PRId64 " %s  %-10s %s %s %s\n", u->no, at, u->person, in_words(u->what), n,
	    u->subject);
}

int
decide_list(struct ctl *c, json_t *rows, struct err *err)
{
	return decide_each(c, 0, c->json ? add_one : print_one, rows, err);
}

static void
take_one(void *arg, const struct undecided *u)
{
	*(struct undecided *)arg = *u;
}

int
decide_say(struct ctl *c, int64_t no, const char *verdict, bool *ret, struct err *err)
{
	struct record_header h = {.kind = REC_DECISION};
	struct undecided u = {.no = 0};
	name_t me;

	if (decide_each(c, no, take_one, &u, err) != 0)
		return -1;
	*ret = u.no != 0;
	if (!*ret)
		return 0;
	if (say_actor(c, me, err) != 0)
		return -1;
	if (strcmp(me, u.person) == 0)
		return err_set(
		    err, ERR_DENIED, "%" PRId64 " 是 %s 自己办的, 要另一个人来决定", no, u.person);
	field_set_b(&h, F_ref_ob, u.ob, 16);
	field_set_u(&h, F_ref_seq, u.seq);
	field_set_s(&h, F_verdict, verdict);
	return say_one(c, &h, err) != 0 ? -1 : decide_wait(c, no, err);
}

struct newest {
	const char *what;
	int64_t no;
};

static void
take_newest(void *arg, const struct undecided *u)
{
	struct newest *n = arg;

	if (strcmp(u->what, n->what) == 0)
		n->no = u->no;
}

int
decide_newest(struct ctl *c, const char *what, int64_t *ret, struct err *err)
{
	struct newest n = {what, 0};

	if (decide_each(c, 0, take_newest, &n, err) != 0)
		return -1;
	*ret = n.no;
	return 0;
}

int
decide_wait(struct ctl *c, int64_t no, struct err *err)
{
	int64_t end = clock_boot_us() + WAIT_US;

	for (;;) {
		struct undecided u = {.no = 0};

		if (decide_each(c, no, take_one, &u, err) != 0)
			return -1;
		if (u.no == 0)
			return 0;
		if (clock_boot_us() > end)
			return err_set(
			    err, ERR_LATE, "已受理, 但还没有入账 (hf-recorder 在运行吗?)");
		(void)poll(NULL, 0, 20);
	}
}
