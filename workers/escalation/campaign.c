/* campaign.c - records without a case: what is released, which stage and pass it is, which policy holds.
 * Each changes the book, and then the law is asked about every case that it concerns. Folding one again after a restart changes nothing: cases remember how far they are. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/escalation/campaign.h"

#define RELEASE_LOT 100 /* cases of one batch, with the book in the same batch */

static uint64_t
u_of(const struct record_header *h, enum field_key key)
{
	return h->f[key].set ? h->f[key].u : 0;
}

/* ---- acts on all cases ---- */

void
campaign_apply(struct router *r, struct rcase *c, void *arg)
{
	const struct on_all *all = arg;

	if (!logid_after(all->at, c->at))
		return;
	case_act(r, c, &all->act, all->now, all->at);
	case_queue(r, c);
}

static void
on_stage(struct router *r, const struct record_header *h, int64_t now, struct logid at, bool again)
{
	struct on_all all = {.now = now, .at = at};
	uint64_t n = u_of(h, F_n);

	if (n < 1 || n > 4 || u_of(h, F_open) != 1)
		return; /* a stage ends when the next one opens */
	if (!again && r->book.stage != n) {
		r->book.pass = 0;
		r->book.pass_end = 0;
		r->book.pass_seen = false;
	}
	if (!again) {
		r->book.stage = n;
		r->book.stage_opened_at = now;
	}
	law_act_init(&all.act, LAW_STAGE);
	all.act.stage = (int)n;
	all.act.at = now;
	case_all(r, campaign_apply, &all);
}

static void
on_pass(struct router *r, const struct record_header *h, int64_t now, struct logid at, bool again)
{
	struct on_all all = {.now = now, .at = at};
	uint64_t n = u_of(h, F_n);
	int64_t until = (int64_t)(u_of(h, F_until) & INT64_MAX);

	if (n < 1 || n > 3)
		return;
	if (u_of(h, F_open) != 1) {
		if (!again && r->book.pass == n && (n != 3 || closing_may(r, at)))
			r->book.pass = 0;
		return;
	}
	if (until <= now)
		until = calendar_step(&r->calendar, calendar_open(&r->calendar, HOURS_CALLING, now),
		    r->policy->pass_length[n], 0);
	if (!again) {
		r->book.pass_seen = true;
		r->book.n_signed = 0;
		r->book.pass = n;
		r->book.pass_end = until;
	}
	law_act_init(&all.act, LAW_PASS);
	all.act.pass = (int)n;
	all.act.until = until;
	all.act.at = now;
	case_all(r, campaign_apply, &all);
}

static void
rule_if_open(struct router *r, struct rcase *c, void *arg)
{
	if (c->law.state != STATE_CONFIRMED && c->law.state != STATE_ADMITTED &&
	    c->law.place != PLACE_TERMINAL && c->law.place != PLACE_UNRELEASED)
		campaign_apply(r, c, arg);
}

/* A ruling over all open cases takes the callback head and one of the data group. */
static void
on_ruling(struct router *r, const struct record_header *h, int64_t now, struct logid at)
{
	struct on_all all = {.now = now, .at = at};
	struct rperson *p = person_find(r, h->person);
	uint32_t roles = p == NULL ? 0 : (uint32_t)p->roles;
	uint32_t both = roles | r->book.ruling_roles;

	if (!span_eq_str(h->f[F_verdict].bytes, "admitted-unconfirmed"))
		return;
	if (r->book.ruling_by[0] == '\0' || strcmp(r->book.ruling_by, h->person) == 0 ||
	    (both & ROLE_CALLBACK_HEAD) == 0 || (both & ROLE_DATA) == 0) {
		memcpy(r->book.ruling_by, h->person, sizeof(r->book.ruling_by));
		memcpy(r->book.ruling, "admitted-unconfirmed", sizeof("admitted-unconfirmed"));
		r->book.ruling_roles = roles;
		return;
	}
	r->book.ruling_by[0] = '\0';
	r->book.ruling_roles = 0;
	law_act_init(&all.act, LAW_RULING);
	all.act.outcome = "admitted-unconfirmed";
	all.act.person = h->person;
	all.act.at = now;
	case_all(r, rule_if_open, &all);
}

/* ---- release ---- */

const char *
campaign_reporter(struct router *r, const struct rcase *c)
{
	const struct rperson *p = c->law.hand[0] == '\0' ? NULL : person_find(r, c->law.hand);

	if (policy_reads(r->policy, 11, "random-only"))
		return "";
	return p != NULL && people_is_caller(p) ? p->person : "";
}

struct place_in_order {
	uint8_t key[HASH_LEN];
	struct rcase *c;
};

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, HASH_LEN);
}

struct gather {
	struct place_in_order *at;
	size_t n;
	uint64_t seed;
};

static void
gather(struct router *r, struct rcase *c, void *arg)
{
	struct gather *g = arg;
	uint8_t seed[8] = {0};
	struct span parts[2] = {span_of(seed, 8), span_of(c->id, 16)};

	(void)r;
	if (c->law.place != PLACE_UNRELEASED || c->held)
		return;
	be64_put(seed, g->seed);
	crypt_hash(g->at[g->n].key, parts, 2);
	g->at[g->n++].c = c;
}

/* The stored seed shuffles; the same seed and the same cases give the same order. */
static void
line_up(struct router *r)
{
	struct gather g = {.seed = r->book.release_seed};

	g.at = xcalloc(map_count(r->cases) + 1, sizeof(*g.at));
	case_all(r, gather, &g);
	qsort(g.at, g.n, sizeof(*g.at), by_key);
	r->release = xcalloc(g.n + 1, sizeof(struct rcase *));
	r->n_release = g.n;
	r->release_next = 0;
	for (size_t i = 0; i < g.n; i++)
		r->release[i] = g.at[i].c;
	free(g.at);
}

static void
on_release(struct router *r, const struct record_header *h, int64_t now, struct logid at)
{
	r->book.release = at;
	r->book.release_left = u_of(h, F_count) == 0 ? UINT32_MAX : u_of(h, F_count);
	r->book.release_seed = h->f[F_seed].set ? h->f[F_seed].u : at.no;
	r->book.release_order = 0;
	r->book.released_at = now;
}

bool
campaign_is_busy(const struct router *r)
{
	return r->book.release.no != 0;
}

/* The next lot; the book goes along in the same batch, so that a crash neither repeats nor loses one. */
void
campaign_continue(struct router *r)
{
	struct law_act act;

	if (r->release == NULL)
		line_up(r);
	law_act_init(&act, LAW_RELEASE);
	for (int i = 0;
	     i < RELEASE_LOT && r->book.release_left > 0 && r->release_next < r->n_release; i++) {
		struct rcase *c = r->release[r->release_next++];

		case_act(r, c, &act, r->book.released_at, r->book.release);
		case_queue(r, c);
		r->book.release_order++;
		r->book.release_left--;
	}
	if (r->book.release_left == 0 || r->release_next == r->n_release) {
		free(r->release);
		r->release = NULL;
		r->book.release = (struct logid){0, 0};
		r->book.release_left = 0;
		log_info("released", "cases=%ju", (uintmax_t)r->book.release_order);
		offers_all(r);
	}
	r->book_dirty = true;
	work_add(r, WORK_CURSOR, NULL);
}

/* ---- policy ---- */

/* Dates that came with the policy may wake who rests. */
static void
look_if_resting(struct router *r, struct rcase *c, void *arg)
{
	const int64_t *now = arg;

	if (c->law.place != PLACE_RESTING)
		return;
	case_look(r, c, *now);
	case_queue(r, c);
}

struct new_days {
	const struct calendar *was;
	int64_t now;
	struct logid at;
};

/* Its at says that it has heard of it: read once more after a crash, nothing is moved twice. */
static void
reckon_anew(struct router *r, struct rcase *c, void *arg)
{
	const struct new_days *x = arg;

	if (!logid_after(x->at, c->at))
		return;
	law_new_days(&c->law, x->was, &r->calendar, x->now);
	c->at = x->at;
	if (c->unsaved.no == 0)
		c->unsaved = x->at;
	case_look(r, c, x->now);
	case_queue(r, c);
}

static void
on_days(struct router *r, struct span text, int64_t now, struct logid at)
{
	static struct calendar was;
	struct new_days x = {&was, now, at};

	was = r->calendar;
	if (!own_use_days(r, text, false))
		return;
	case_all(r, reckon_anew, &x);
	offers_all(r);
}

/* What a person says of the own free hours. */
static bool
on_free_hours(struct router *r, const struct log_entry *e, const struct record_header *h)
{
	struct buf store = BUF_INIT;
	struct body body;
	bool opened = seal_open_body(r, e, NULL, &store, &body);

	if (!opened && !r->is_forcing && map_count(r->keys) == 0) {
		buf_done(&store);
		return false;
	}
	if (!opened)
		body.note = (struct span){NULL, 0}; /* without a body: always */
	r->free_dirty = freehours_take(r, h->person, body.note) || r->free_dirty;
	buf_done(&store);
	return true;
}

static bool
is_second(struct router *r, const struct record_header *h)
{
	const struct rperson *p = person_find(r, h->person);
	uint64_t may = ROLE_DATA | ROLE_ADMIN | ROLE_CALLBACK_HEAD | ROLE_LEADING;

	return p != NULL && (p->roles & may) != 0 &&
	       strcmp(h->person, r->book.proposal.person) != 0;
}

/* A policy waits, whole and readable, until another person says yes to its record. */
static void
propose(
    struct router *r, const struct log_entry *e, const struct record_header *h, struct span text)
{
	struct frame f;
	struct policy *p = NULL;
	struct err err = ERR_INIT;

	if (frame_decode(&f, e->f0, NULL) != 0 ||
	    policy_read(&p, "policy", text, NULL, &err) != 0) {
		log_error("policy.refused", "version=%ju why=\"%s\" decision=\"the old one holds\"",
		    (uintmax_t)u_of(h, F_policy), err.text);
		return;
	}
	policy_free(p);
	memcpy(r->book.proposal.ob, f.u.record.ob, 16);
	r->book.proposal.seq = f.u.record.seq;
	r->book.proposal.version = u_of(h, F_policy);
	memcpy(r->book.proposal.person, h->person, sizeof(r->book.proposal.person));
	buf_clear(&r->proposal);
	buf_add(&r->proposal, text.data, text.len);
	r->proposal_dirty = true;
}

static bool
on_policy(
    struct router *r, const struct log_entry *e, const struct record_header *h, struct logid at)
{
	struct buf store = BUF_INIT;
	struct body body;
	bool opened = seal_open_body(r, e, NULL, &store, &body);

	if (!opened && !r->is_forcing && map_count(r->keys) == 0) {
		buf_done(&store);
		return false;
	}
	if (!opened)
		log_error("policy.sealed", "decision=\"no key for it, the old one holds\"");
	else if (!span_eq_str(h->f[F_what].bytes, "days"))
		propose(r, e, h, body.text);
	else
		on_days(r, body.text, e->now, at);
	buf_done(&store);
	return true;
}

/* The second person's yes or no to the policy that waits. */
static void
on_approval(struct router *r, const struct log_entry *e, const struct record_header *h)
{
	struct book *b = &r->book;

	if (b->proposal.seq == 0 || h->f[F_ref_seq].u != b->proposal.seq ||
	    memcmp(h->f[F_ref_ob].bytes.data, b->proposal.ob, 16) != 0 || !is_second(r, h))
		return;
	if (span_eq_str(h->f[F_verdict].bytes, "give") &&
	    own_use_policy(r, buf_span(&r->proposal), "policy")) {
		b->policy = b->proposal.version;
		memcpy(b->policy_by, b->proposal.person, sizeof(b->policy_by));
		memcpy(b->policy_second, h->person, sizeof(b->policy_second));
		b->policy_since = e->now;
		r->policy_dirty = true;
		case_all(r, look_if_resting, (void *)&(int64_t){e->now});
		offers_all(r);
	}
	memset(&b->proposal, 0, sizeof(b->proposal));
	buf_clear(&r->proposal);
	r->proposal_dirty = true;
}

/* Who and why stand beside it, for whoever asks why nothing comes. */
static void
on_pause(struct router *r, const struct record_header *h)
{
	struct words *w = words_make("pause");

	words_str(w, u_of(h, F_open) == 0 ? "1" : "0");
	words_str(w, h->person);
	words_add(w, h->f[F_reason].bytes);
	words_queue(r, w);
}

/* again: read once more after a restart, because some case had not heard of it. The book and the persons
 * have it already; the cases know for themselves. */
static bool
apply(struct router *r, const struct log_entry *e, const struct record_header *h, struct logid at,
    bool again)
{
	switch (h->kind) {
	case REC_STAGE: on_stage(r, h, e->now, at, again); return true;
	case REC_PASS: on_pass(r, h, e->now, at, again); return true;
	default: break;
	}
	if (again)
		return true;
	switch (h->kind) {
	case REC_POLICY: return on_policy(r, e, h, at);
	case REC_NOTE:
		return !span_eq_str(h->f[F_what].bytes, "free-hours") || on_free_hours(r, e, h);
	case REC_APPROVAL: on_approval(r, e, h); return true;
	case REC_RELEASE:
		if (imports_pending(r) && !r->is_forcing)
			return false; /* what was committed before shall be there first */
		on_release(r, h, e->now, at);
		return true;
	case REC_PERSON: people_person(r, h, e->now); return true;
	case REC_ENROL: people_enrol(r, h, e->now); return true;
	case REC_REVOKE: people_revoke(r, h, e->now); return true;
	case REC_ABSENCE: people_absence(r, h, e->now, at); return true;
	case REC_PAUSE: on_pause(r, h); return true;
	case REC_RULING: on_ruling(r, h, e->now, at); return true;
	case REC_SIGNOFF:
		if (u_of(h, F_n) == r->book.pass && !book_sign(&r->book, h->person))
			log_warn("signoff", "decision=\"the book is full, not counted\"");
		return true;
	default: return true; /* nothing for the router */
	}
}

bool
campaign_record(
    struct router *r, const struct log_entry *e, const struct record_header *h, struct logid at)
{
	bool again = !logid_after(at, r->book.at);

	if (h->kind == REC_IMPORT && imports_take(h)) {
		imports_rows(r, e, h, at);
	} else if (h->kind == REC_COMMIT && imports_take(h)) {
		imports_commit(r, e, h);
	} else if (!apply(r, e, h, at, again)) {
		return false;
	}
	if (again)
		return true;
	r->book.at = at;
	r->book_dirty = true;
	if (h->kind == REC_STAGE || h->kind == REC_PASS)
		offers_all(r);
	offers_gate(r);
	return true;
}
