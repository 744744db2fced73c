/* people.c - who may act: persons, agents, absences, as the log's records say it.
 *
 * A change of a person goes to Redis and makes the law look again at the person's cases: who is away or
 * gone for good, or has another team, may have work that must not wait. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/roles.h"
#include "workers/escalation/campaign.h"

static void
name_field(name_t out, const struct record_header *h, enum field_key key)
{
	memset(out, 0, sizeof(name_t));
	if (h->f[key].set && h->f[key].bytes.len <= NAME_MAX_LEN)
		memcpy(out, h->f[key].bytes.data, h->f[key].bytes.len);
}

bool
people_is_caller(const struct rperson *p)
{
	return p->active && p->qualified && p->team[0] != '\0' &&
	       (p->roles & (ROLE_CALLER | ROLE_LEADER | ROLE_DEPUTY)) != 0;
}

struct rperson *
person_find(struct router *r, const char *name)
{
	return map_get(r->persons, name, strlen(name));
}

void
person_free(void *v)
{
	struct rperson *p = v;

	buf_done(&p->offer);
	free(p);
}

static struct rperson *
person_make(struct router *r, const char *name)
{
	struct rperson *p = person_find(r, name);

	if (p != NULL)
		return p;
	p = xcalloc(1, sizeof(*p));
	memcpy(p->person, name, strlen(name) + 1);
	memcpy(p->pk, "-", 2);
	map_put(r->persons, p->person, strlen(p->person), p);
	return p;
}

/* "<roles> <team or -> <qualified> <pk or -> <active>" */
struct rperson *
person_load(struct router *r, const char *name, struct span row)
{
	struct span w[5];
	struct rperson *p;
	const uint8_t *at = row.data, *end = row.data + row.len;
	int n = 0;

	for (; n < 5 && at <= end; n++) {
		const uint8_t *stop = memchr(at, ' ', (size_t)(end - at));

		stop = stop == NULL ? end : stop;
		w[n] = span_of(at, (size_t)(stop - at));
		at = stop + 1;
	}
	if (n < 5 || w[1].len > NAME_MAX_LEN || w[3].len >= sizeof(p->pk))
		return NULL;
	p = person_make(r, name);
	if (!text_to_u64((const char *)w[0].data, w[0].len, &p->roles))
		p->roles = 0;
	memset(p->team, 0, sizeof(p->team));
	if (!span_eq_str(w[1], "-"))
		memcpy(p->team, w[1].data, w[1].len);
	p->qualified = span_eq_str(w[2], "1");
	memset(p->pk, 0, sizeof(p->pk));
	memcpy(p->pk, w[3].data, w[3].len);
	p->active = span_eq_str(w[4], "1");
	return p;
}

struct of_person {
	const char *person;
	int64_t now;
};

static void
look_if_of(struct router *r, struct rcase *c, void *arg)
{
	const struct of_person *of = arg;
	const char *owner = c->has_want ? c->want.owner : c->owner;

	if (c->law.place == PLACE_TERMINAL ||
	    (strcmp(owner, of->person) != 0 && strcmp(c->law.hand, of->person) != 0))
		return;
	case_look(r, c, of->now);
	case_queue(r, c);
}

/* The person changed: Redis hears of it, and the law looks at the person's cases again. */
static void
admit(struct router *r, struct rperson *p, int64_t now)
{
	struct words *w = words_make("admit_person");
	struct of_person of = {p->person, now};

	words_str(w, p->person);
	words_u(w, p->roles);
	words_str(w, p->team[0] == '\0' ? "-" : p->team);
	words_str(w, p->qualified ? "1" : "0");
	words_str(w, p->pk);
	words_str(w, p->active ? "1" : "0");
	words_queue(r, w);
	if (r->is_caught_up)
		case_all(r, look_if_of, &of);
	offers_all(r);
	offers_person(r, p);
}

void
people_person(struct router *r, const struct record_header *h, int64_t now)
{
	struct rperson *p;
	name_t who;

	name_field(who, h, F_subject);
	if (who[0] == '\0')
		return;
	p = person_make(r, who);
	p->active = true;
	if (h->f[F_roles].set)
		p->roles = h->f[F_roles].u & ROLES_ALL & ~(uint64_t)ROLE_SYSTEM;
	if (h->f[F_team].set)
		name_field(p->team, h, F_team);
	if (h->f[F_qualified].set)
		p->qualified = h->f[F_qualified].u == 1;
	if (h->f[F_person_pk].set)
		hex_encode(p->pk, h->f[F_person_pk].bytes.data, 32);
	admit(r, p, now);
}

/* An agent's two keys, remembered because revoking it must repeat them. */
void
agent_keep(struct router *r, const char *agent, const char *curve_pk, const char *sign_pk)
{
	char *both = map_get(r->agents, agent, 32);

	if (both == NULL) {
		both = xcalloc(1, 129);
		map_put(r->agents, agent, 32, both);
	}
	memcpy(both, curve_pk, 64);
	memcpy(both + 64, sign_pk, 64);
}

static bool
agent_known(struct router *r, const char *agent, char curve_pk[65], char sign_pk[65])
{
	const char *both = map_get(r->agents, agent, 32);

	if (both == NULL)
		return false;
	memcpy(curve_pk, both, 64);
	memcpy(sign_pk, both + 64, 64);
	curve_pk[64] = sign_pk[64] = '\0';
	return true;
}

static void
admit_agent(struct router *r, const char *agent, const char *curve_pk, const char *sign_pk,
    const char *state)
{
	struct words *w = words_make("admit_agent");

	words_str(w, agent);
	words_str(w, curve_pk);
	words_str(w, sign_pk);
	words_str(w, state);
	words_queue(r, w);
}

void
people_enrol(struct router *r, const struct record_header *h, int64_t now)
{
	char agent[33], curve_pk[65], sign_pk[65];
	struct rperson *p;
	name_t who;

	hex_encode(agent, h->f[F_agent].bytes.data, 16);
	hex_encode(curve_pk, h->f[F_curve_pk].bytes.data, 32);
	hex_encode(sign_pk, h->f[F_sign_pk].bytes.data, 32);
	admit_agent(r, agent, curve_pk, sign_pk, "active");
	agent_keep(r, agent, curve_pk, sign_pk);
	name_field(who, h, F_subject);
	p = person_make(r, who);
	hex_encode(p->pk, h->f[F_person_pk].bytes.data, 32);
	p->active = true;
	admit(r, p, now);
}

void
people_revoke(struct router *r, const struct record_header *h, int64_t now)
{
	char agent[33], curve_pk[65], sign_pk[65];
	struct rperson *p;
	name_t who;

	if (h->f[F_agent].set) {
		hex_encode(agent, h->f[F_agent].bytes.data, 16);
		if (agent_known(r, agent, curve_pk, sign_pk))
			admit_agent(r, agent, curve_pk, sign_pk, "revoked");
		else
			log_warn("revoke.agent", "agent=%s decision=\"not enrolled\"", agent);
		return; /* the person may act from another one */
	}
	name_field(who, h, F_subject);
	p = who[0] == '\0' ? NULL : person_find(r, who);
	if (p == NULL)
		return;
	p->active = false;
	admit(r, p, now);
}

/* ---- absence ---- */

struct move {
	struct on_all all;
	const char *from;
	int64_t until; /* what rests longer waits for them */
};

static void
move_if_of(struct router *r, struct rcase *c, void *arg)
{
	struct move *m = arg;
	const char *owner = c->has_want ? c->want.owner : c->owner;

	bool theirs =
	    c->law.place == PLACE_OWN || (c->law.place == PLACE_RESTING && c->law.due < m->until);

	if (theirs && strcmp(owner, m->from) == 0 && c->law.hand[0] == '\0')
		campaign_apply(r, c, &m->all);
}

/* Of others: leader and deputy only. */
static bool
may_say_absence(struct router *r, const char *person, const char *who)
{
	const struct rperson *p = person_find(r, person);

	return strcmp(person, who) == 0 ||
	       (p != NULL && (p->roles & (ROLE_LEADER | ROLE_DEPUTY)) != 0);
}

void
people_absence(struct router *r, const struct record_header *h, int64_t now, struct logid at)
{
	struct move m = {.all = {.now = now, .at = at}};
	struct of_person of = {.now = now};
	name_t who, to;
	int64_t until = h->f[F_until].set ? (int64_t)(h->f[F_until].u & INT64_MAX) : 0;

	name_field(who, h, F_subject);
	name_field(to, h, F_to);
	if (!may_say_absence(r, h->person, who)) {
		log_warn("absence", "decision=\"not theirs to say\"");
		return;
	}
	if (who[0] == '\0' || !book_set_absence(&r->book, who, now, until)) {
		log_warn("absence", "decision=\"not kept: the list is full\"");
		return;
	}
	m.from = of.person = who;
	m.until = until == 0 ? CALENDAR_NEVER : until;
	if (to[0] != '\0' && strcmp(to, who) != 0 && person_find(r, to) != NULL) {
		law_act_init(&m.all.act, LAW_HANDOVER);
		m.all.act.person = h->person;
		m.all.act.to = to;
		m.all.act.at = now;
		case_all(r, move_if_of, &m);
	} else if (r->is_caught_up) {
		case_all(r, look_if_of, &of);
	}
}
