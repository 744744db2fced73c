/* book.c - the campaign's state as one line of `key=value` words, so that a person can read it in Redis.
 *
 * Unknown keys are passed over (an older router reads a newer one's text); a value that does not read
 * makes the whole text an error, because going on with half of it would open what was closed. */
#include "workers/escalation/book.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

void
book_init(struct book *b)
{
	memset(b, 0, sizeof(*b));
	b->stage = 2;
}

bool
book_set_absence(struct book *b, const char *person, int64_t since, int64_t until)
{
	uint32_t i = 0;

	while (i < b->n_absences && strcmp(b->absences[i].person, person) != 0)
		i++;
	if (until != 0 && until <= since) {
		if (i < b->n_absences)
			b->absences[i] = b->absences[--b->n_absences];
		return true;
	}
	if (i == BOOK_ABSENCES)
		return false;
	if (i == b->n_absences) {
		b->n_absences++;
		memset(&b->absences[i], 0, sizeof(b->absences[i]));
		memcpy(b->absences[i].person, person, strlen(person) + 1);
	}
	b->absences[i].since = since;
	b->absences[i].until = until;
	return true;
}

bool
book_is_absent(const struct book *b, const char *person, int64_t now, int64_t *ret_since)
{
	for (uint32_t i = 0; i < b->n_absences; i++) {
		const struct absence *a = &b->absences[i];

		if (strcmp(a->person, person) != 0 || now < a->since ||
		    (a->until != 0 && now >= a->until))
			continue;
		if (ret_since != NULL)
			*ret_since = a->since;
		return true;
	}
	return false;
}

bool
book_has_signed(const struct book *b, const char *person)
{
	for (uint32_t i = 0; i < b->n_signed; i++)
		if (strcmp(b->signed_by[i], person) == 0)
			return true;
	return false;
}

bool
book_sign(struct book *b, const char *person)
{
	if (book_has_signed(b, person))
		return true;
	if (b->n_signed == BOOK_ABSENCES)
		return false;
	memset(b->signed_by[b->n_signed], 0, sizeof(name_t));
	memcpy(b->signed_by[b->n_signed++], person, strlen(person) + 1);
	return true;
}

void
book_tidy(struct book *b, int64_t now)
{
	for (uint32_t i = 0; i < b->n_absences;)
		if (b->absences[i].until != 0 && b->absences[i].until <= now)
			b->absences[i] = b->absences[--b->n_absences];
		else
			i++;
}

void
book_print(struct buf *out, const struct book *b)
{
	buf_addf(out,
	    "v=1 at=%" PRIu64 "-%" PRIu64 " stage=%" PRIu64 " stage_at=%" PRId64 " pass=%" PRIu64
	    " pass_end=%" PRId64 " pass_seen=%d released_at=%" PRId64 " policy=%" PRIu64,
	    b->at.epoch, b->at.no, b->stage, b->stage_opened_at, b->pass, b->pass_end, b->pass_seen,
	    b->released_at, b->policy);
	if (b->proposal.seq != 0) {
		char hex[33];

		hex_encode(hex, b->proposal.ob, 16);
		buf_addf(out, " proposal=%s:%" PRIu64 ":%" PRIu64 ":%s", hex, b->proposal.seq,
		    b->proposal.version, b->proposal.person);
	}
	if (b->policy_by[0] != '\0')
		buf_addf(out, " policy_by=%s:%s:%" PRId64, b->policy_by, b->policy_second,
		    b->policy_since);
	if (b->release.no != 0)
		buf_addf(out,
		    " release=%" PRIu64 "-%" PRIu64 " left=%" PRIu64 " seed=%" PRIu64
		    " order=%" PRIu64,
		    b->release.epoch, b->release.no, b->release_left, b->release_seed,
		    b->release_order);
	if (b->ruling_by[0] != '\0')
		buf_addf(out, " ruling=%s:%s:%" PRIu32, b->ruling, b->ruling_by, b->ruling_roles);
	for (uint32_t i = 0; i < b->n_signed; i++)
		buf_addf(out, " signed=%s", b->signed_by[i]);
	for (uint32_t i = 0; i < b->n_absences; i++)
		buf_addf(out, " absent=%s:%" PRId64 ":%" PRId64, b->absences[i].person,
		    b->absences[i].since, b->absences[i].until);
}

/* a-b */
static bool
read_logid(const char *v, size_t len, struct logid *ret)
{
	const char *dash = memchr(v, '-', len);

	return dash != NULL && text_to_u64(v, (size_t)(dash - v), &ret->epoch) &&
	       text_to_u64(dash + 1, len - (size_t)(dash - v) - 1, &ret->no);
}

/* The next part of a:b:c. */
static bool
part(const char **v, size_t *len, struct span *ret)
{
	const char *colon = memchr(*v, ':', *len);
	size_t n = colon == NULL ? *len : (size_t)(colon - *v);

	*ret = span_of(*v, n);
	*v += colon == NULL ? n : n + 1;
	*len -= colon == NULL ? n : n + 1;
	return n > 0;
}

static bool
read_ruling(const char *v, size_t len, struct book *b)
{
	struct span what, who, roles;
	uint64_t bits;

	if (!part(&v, &len, &what) || !part(&v, &len, &who) || !part(&v, &len, &roles) ||
	    what.len >= sizeof(b->ruling) || !text_is_id((const char *)who.data, who.len) ||
	    !text_to_u64((const char *)roles.data, roles.len, &bits) || bits > UINT32_MAX)
		return false;
	memcpy(b->ruling, what.data, what.len);
	memcpy(b->ruling_by, who.data, who.len);
	b->ruling_roles = (uint32_t)bits;
	return true;
}

static bool
read_name(struct span s, name_t out)
{
	if (s.len > NAME_MAX_LEN || !text_is_id((const char *)s.data, s.len))
		return false;
	memset(out, 0, sizeof(name_t));
	memcpy(out, s.data, s.len);
	return true;
}

static bool
read_proposal(const char *v, size_t len, struct book *b)
{
	struct span ob, seq, version, who;

	return part(&v, &len, &ob) && part(&v, &len, &seq) && part(&v, &len, &version) &&
	       part(&v, &len, &who) &&
	       hex_decode(b->proposal.ob, 16, (const char *)ob.data, ob.len) &&
	       text_to_u64((const char *)seq.data, seq.len, &b->proposal.seq) &&
	       text_to_u64((const char *)version.data, version.len, &b->proposal.version) &&
	       read_name(who, b->proposal.person);
}

static bool
read_policy_by(const char *v, size_t len, struct book *b)
{
	struct span by, second, since;

	return part(&v, &len, &by) && part(&v, &len, &second) && part(&v, &len, &since) &&
	       read_name(by, b->policy_by) && read_name(second, b->policy_second) &&
	       text_to_i64((const char *)since.data, since.len, &b->policy_since);
}

static bool
read_absence(const char *v, size_t len, struct book *b)
{
	struct span who, since, until;
	name_t person = "";
	int64_t from, to;

	if (!part(&v, &len, &who) || !part(&v, &len, &since) || !part(&v, &len, &until) ||
	    !text_is_id((const char *)who.data, who.len) ||
	    !text_to_i64((const char *)since.data, since.len, &from) ||
	    !text_to_i64((const char *)until.data, until.len, &to))
		return false;
	memcpy(person, who.data, who.len);
	return book_set_absence(b, person, from, to);
}

static bool
read_pair(struct book *b, struct span key, const char *v, size_t len)
{
	uint64_t seen;
	const struct {
		const char *name;
		uint64_t *u;
		int64_t *i;
	} numbers[] = {{"stage", &b->stage, NULL}, {"stage_at", NULL, &b->stage_opened_at},
	    {"pass", &b->pass, NULL}, {"pass_end", NULL, &b->pass_end},
	    {"released_at", NULL, &b->released_at}, {"policy", &b->policy, NULL},
	    {"left", &b->release_left, NULL}, {"seed", &b->release_seed, NULL},
	    {"order", &b->release_order, NULL}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (span_eq_str(key, numbers[i].name))
			return numbers[i].u != NULL ? text_to_u64(v, len, numbers[i].u)
			                            : text_to_i64(v, len, numbers[i].i);
	if (span_eq_str(key, "v"))
		return len == 1 && *v == '1';
	if (span_eq_str(key, "at"))
		return read_logid(v, len, &b->at);
	if (span_eq_str(key, "release"))
		return read_logid(v, len, &b->release);
	if (span_eq_str(key, "pass_seen")) {
		if (!text_to_u64(v, len, &seen) || seen > 1)
			return false;
		b->pass_seen = seen == 1;
		return true;
	}
	if (span_eq_str(key, "proposal"))
		return read_proposal(v, len, b);
	if (span_eq_str(key, "policy_by"))
		return read_policy_by(v, len, b);
	if (span_eq_str(key, "ruling"))
		return read_ruling(v, len, b);
	if (span_eq_str(key, "signed")) {
		name_t person = "";

		if (!text_is_id(v, len))
			return false;
		memcpy(person, v, len);
		return book_sign(b, person);
	}
	if (span_eq_str(key, "absent"))
		return read_absence(v, len, b);
	return true;
}

int
book_parse(struct book *ret, struct span text, struct err *err)
{
	const char *at = (const char *)text.data, *end = at + text.len;
	struct book b;

	book_init(&b);
	while (at < end) {
		const char *stop = memchr(at, ' ', (size_t)(end - at));
		const char *eq;

		stop = stop == NULL ? end : stop;
		eq = memchr(at, '=', (size_t)(stop - at));
		if (eq == NULL ||
		    !read_pair(&b, span_of(at, (size_t)(eq - at)), eq + 1, (size_t)(stop - eq - 1)))
			return err_set(err, ERR_CORRUPT, "the router's book does not read at: %.*s",
			    (int)(stop - at < 40 ? stop - at : 40), at);
		at = stop + 1;
	}
	if (b.stage < 1 || b.stage > 4 || b.pass > 3)
		return err_set(err, ERR_CORRUPT, "the router's book has no such stage or pass");
	*ret = b;
	return 0;
}
