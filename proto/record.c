/* record.c - headers of records: reading them, and who may say what.
 *
 * A header is read in two steps: the elements up to the case, which even a bad header mostly has
 * (the broker quarantines it under them), then the rest, checked against the row of its kind.
 * Words that the campaign defines are passed through; only types, lengths and the shape of ids are
 * judged here. */
#include "proto/record.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "proto/codec.h"
#include "proto/roles.h"

#define HEADER_LENGTH 17
#define EVIDENCE_HASH 32
#define CONCERN_MAX   32
#define TOKEN_MAX     (((uint64_t)TOKEN_EPOCH_MAX + 1) << TOKEN_EPOCH_BITS)

#define B(key) (1ULL << (F_##key))
/* Keys from a to b, both included. */
#define RANGE(a, b) ((2ULL << (b)) - (1ULL << (a)))

#define IDS (B(to) | B(to_team) | B(subject) | B(team))

#define LEAD   (ROLE_LEADER | ROLE_DEPUTY)
#define OFFICE (ROLE_DATA | ROLE_CALLBACK_HEAD)

/* clang-format off */
static const struct record_rule rules[REC_KINDS] = {
	/* name, token, case, moves, binds, roles, required, allowed (PROTOCOL.md 14.3) */
	[REC_ATTEMPT] = {"ATTEMPT", RULE_MAY, RULE_MUST, true, true,
	    ROLE_OWNER | LEAD | ROLE_STRIKE, B(outcome), RANGE(F_channel, F_direction) | B(what) | B(items)},
	[REC_NOTE] = {"NOTE", RULE_MAY, RULE_MAY, false, false, ROLE_ANY, 0,
	    B(channel) | B(evidence) | B(direction) | B(ref_ob) | B(ref_seq) | B(what) | B(items)},
	[REC_NUMBER] = {"NUMBER", RULE_MAY, RULE_MUST, true, false,
	    ROLE_OWNER | LEAD | ROLE_STRIKE | ROLE_BACK_OFFICE | ROLE_DATA, 0,
	    B(number) | B(rung) | B(source) | B(valid)},
	[REC_PAPER] = {"PAPER", RULE_MAY, RULE_MUST, true, false,
	    ROLE_CALLER | LEAD | ROLE_DESIGNATED | ROLE_DATA, B(items),
	    B(evidence) | B(to) | B(what)},
	[REC_HANDOVER] = {"HANDOVER", RULE_NEVER, RULE_MUST, true, false, LEAD | OFFICE, B(reason),
	    B(to) | B(to_team) | B(credit)},
	[REC_FINDING] = {"FINDING", RULE_NEVER, RULE_MAY, false, false, ROLE_SUPERVISOR, B(what),
	    B(reason) | B(count) | B(ref_ob) | B(ref_seq) | B(subject)},
	[REC_RELEASE] = {"RELEASE", RULE_NEVER, RULE_NEVER, false, false, ROLE_DATA, B(count),
	    B(seed)},
	[REC_STAGE] = {"STAGE", RULE_NEVER, RULE_NEVER, false, false, ROLE_DATA, B(n) | B(open), 0},
	[REC_PASS] = {"PASS", RULE_NEVER, RULE_NEVER, false, false, ROLE_DATA, B(n) | B(open),
	    B(until)},
	[REC_POLICY] = {"POLICY", RULE_NEVER, RULE_NEVER, false, false, ROLE_DATA | ROLE_ADMIN,
	    B(policy), B(what)},
	[REC_ABSENCE] = {"ABSENCE", RULE_NEVER, RULE_NEVER, false, false, LEAD | ROLE_CALLER,
	    B(subject), B(until) | B(reason) | B(to)},
	[REC_APPROVAL] = {"APPROVAL", RULE_NEVER, RULE_MAY, true, false, LEAD | OFFICE | ROLE_ADMIN,
	    B(ref_ob) | B(ref_seq) | B(verdict), 0},
	[REC_CORRECTION] = {"CORRECTION", RULE_MAY, RULE_MAY, true, false,
	    ROLE_SELF | ROLE_OWNER | ROLE_LEADER, B(ref_ob) | B(ref_seq),
	    RANGE(F_outcome, F_direction)},
	[REC_IMPORT] = {"IMPORT", RULE_NEVER, RULE_NEVER, false, false, ROLE_DATA, B(import),
	    B(number) | B(count) | B(subject) | B(what) | B(valid) | B(cases)},
	[REC_COMMIT] = {"COMMIT", RULE_NEVER, RULE_NEVER, false, false, ROLE_DATA,
	    B(import) | B(rows), B(until) | B(policy) | B(what)},
	[REC_ENROL] = {"ENROL", RULE_NEVER, RULE_NEVER, false, false, ROLE_ADMIN | ROLE_OPERATOR,
	    B(subject) | B(agent) | B(curve_pk) | B(sign_pk) | B(person_pk), 0},
	[REC_REVOKE] = {"REVOKE", RULE_NEVER, RULE_NEVER, false, false, ROLE_ADMIN | ROLE_OPERATOR,
	    0, B(subject) | B(agent) | B(reason)},
	[REC_PERSON] = {"PERSON", RULE_NEVER, RULE_NEVER, false, false, ROLE_ADMIN | ROLE_DATA,
	    B(subject), B(roles) | B(team) | B(qualified) | B(person_pk)},
	[REC_SIGNOFF] = {"SIGNOFF", RULE_NEVER, RULE_NEVER, false, false, ROLE_ANY, B(n), 0},
	[REC_RULING] = {"RULING", RULE_NEVER, RULE_MAY, true, false, OFFICE, B(verdict), 0},
	[REC_WAIVER] = {"WAIVER", RULE_NEVER, RULE_MUST, true, false, LEAD, B(rung),
	    B(reason) | B(verdict)},
	[REC_REOPEN] = {"REOPEN", RULE_NEVER, RULE_MUST, true, false, ROLE_LEADER | OFFICE,
	    B(reason), 0},
	[REC_ADOPT] = {"ADOPT", RULE_NEVER, RULE_MUST, true, false, ROLE_OWNER | LEAD,
	    B(ref_ob) | B(ref_seq), 0},
	[REC_DISMISS] = {"DISMISS", RULE_NEVER, RULE_MUST, false, false, ROLE_OWNER | LEAD,
	    B(ref_ob) | B(ref_seq), 0},
	[REC_REVEAL] = {"REVEAL", RULE_MAY, RULE_MUST, false, false, ROLE_ANY, B(reason), B(what)},
	[REC_INQUIRY] = {"INQUIRY", RULE_NEVER, RULE_NEVER, false, false, ROLE_ANY, 0,
	    B(outcome) | B(channel) | B(direction)},
	[REC_DRAW] = {"DRAW", RULE_NEVER, RULE_NEVER, false, false, ROLE_SUPERVISOR | ROLE_LEADING,
	    B(count) | B(seed), B(what) | B(until)},
	[REC_DISPUTE] = {"DISPUTE", RULE_NEVER, RULE_NEVER, false, false, ROLE_ANY, 0, B(what)},
	[REC_TIMER] = {"TIMER", RULE_NEVER, RULE_MUST, true, false, ROLE_SYSTEM, B(what), 0},
	[REC_PAUSE] = {"PAUSE", RULE_NEVER, RULE_NEVER, false, false,
	    ROLE_OPERATOR | ROLE_ADMIN | ROLE_DATA | ROLE_CALLBACK_HEAD, B(reason) | B(open), 0},
	[REC_DECISION] = {"DECISION", RULE_NEVER, RULE_NEVER, false, false,
	    ROLE_CALLBACK_HEAD | ROLE_LEADING, B(ref_ob) | B(ref_seq) | B(verdict), B(reason)},
	[REC_MESSAGE] = {"MESSAGE", RULE_NEVER, RULE_MUST, true, false, ROLE_SYSTEM,
	    B(rung) | B(verdict), B(channel) | B(number) | B(count)},
};

static const struct {
	const char *name;
	enum field_type type;
	size_t limit;
} fields[FIELD_KEYS] = {
#define FIELD_ROW(no, name, type, limit) [no] = {#name, type, limit},
	FIELD_TABLE(FIELD_ROW)
#undef FIELD_ROW
};
/* clang-format on */

const struct record_rule *
record_rule(enum record_kind kind)
{
	return (unsigned)kind < REC_KINDS && rules[kind].name != NULL ? &rules[kind] : NULL;
}

int
record_kind_by_name(const char *name)
{
	for (int kind = 1; kind < REC_KINDS; kind++) {
		if (strcmp(rules[kind].name, name) == 0)
			return kind;
	}
	return 0;
}

const char *
field_name(enum field_key key)
{
	return (unsigned)key < FIELD_KEYS && fields[key].name != NULL ? fields[key].name : "?";
}

enum field_key
field_by_name(const char *name)
{
	for (int key = 1; key < FIELD_KEYS; key++) {
		if (strcmp(fields[key].name, name) == 0)
			return (enum field_key)key;
	}
	return 0;
}

enum field_type
field_type(enum field_key key)
{
	return (unsigned)key < FIELD_KEYS ? fields[key].type : FIELD_NONE;
}

size_t
field_limit(enum field_key key)
{
	return (unsigned)key < FIELD_KEYS ? fields[key].limit : 0;
}

bool
field_is_id(enum field_key key)
{
	return (unsigned)key < FIELD_KEYS && (IDS >> key & 1) != 0;
}

static void
read_list(struct dec *d, struct field *f, enum field_key key)
{
	uint32_t n = dec_array(d);

	if (n > fields[key].limit) {
		dec_fail(d);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (fields[key].type == FIELD_STRS) {
			f->list[i] = dec_s(d, CONCERN_MAX);
		} else {
			f->list[i] = dec_b(d, EVIDENCE_HASH);
			if (f->list[i].len != EVIDENCE_HASH)
				dec_fail(d);
		}
	}
	f->n = (uint8_t)n;
}

static void
read_value(struct dec *d, struct field *f, enum field_key key)
{
	size_t limit = fields[key].limit;

	f->set = true;
	switch (fields[key].type) {
	case FIELD_U: f->u = dec_u(d); break;
	case FIELD_STR:
		f->bytes = dec_s(d, limit);
		if (field_is_id(key) && !text_is_id((const char *)f->bytes.data, f->bytes.len))
			dec_fail(d);
		break;
	case FIELD_BIN:
		f->bytes = dec_b(d, limit);
		if (f->bytes.len != limit)
			dec_fail(d);
		break;
	case FIELD_REFS:
		f->bytes = dec_b(d, limit);
		if (f->bytes.len == 0 || f->bytes.len % ID_LEN != 0)
			dec_fail(d);
		break;
	case FIELD_STRS:
	case FIELD_BINS: read_list(d, f, key); break;
	case FIELD_NONE: dec_fail(d); break;
	}
}

static int
read_fields(struct dec *d, struct record_header *h, uint64_t *seen, struct err *err)
{
	uint32_t n = dec_array(d);
	uint64_t last = 0;

	if (d->failed || n % 2 != 0 || n > 2 * FIELD_PAIRS_MAX)
		return err_set(err, ERR_INVALID, "record header: fields are not pairs");
	for (uint32_t i = 0; i < n / 2; i++) {
		uint64_t key = dec_u(d);

		if (d->failed || key <= last || key >= FIELD_KEYS)
			return err_set(
			    err, ERR_INVALID, "record header: keys do not rise, or are unknown");
		read_value(d, &h->f[key], (enum field_key)key);
		if (d->failed)
			return err_set(
			    err, ERR_INVALID, "record header: value of %s", fields[key].name);
		*seen |= 1ULL << key;
		last = key;
	}
	return 0;
}

static bool
fits(int rule, bool is)
{
	return rule == RULE_MAY || (rule == RULE_MUST) == is;
}

static int
check_rule(const struct record_header *h, uint64_t seen, struct err *err)
{
	const struct record_rule *r = record_rule(h->kind);
	uint64_t missing, extra;

	if (r == NULL)
		return err_set(err, ERR_INVALID, "record header: kind %d is unknown", (int)h->kind);
	missing = r->required & ~seen;
	extra = seen & ~(r->required | r->allowed);
	if (!fits(r->token, h->token != 0))
		return err_set(err, ERR_INVALID, "%s %s a token", r->name,
		    h->token != 0 ? "does not have" : "needs");
	if (!fits(r->case_id, h->has_case))
		return err_set(err, ERR_INVALID, "%s %s a case", r->name,
		    h->has_case ? "does not have" : "needs");
	if (h->token != 0 && !h->has_case)
		return err_set(err, ERR_INVALID, "%s has a token and no case", r->name);
	if (missing != 0)
		return err_set(err, ERR_INVALID, "%s needs the field %s", r->name,
		    fields[__builtin_ctzll(missing)].name);
	if (extra != 0)
		return err_set(err, ERR_INVALID, "%s does not have the field %s", r->name,
		    fields[__builtin_ctzll(extra)].name);
	return 0;
}

/* The elements that even a bad header mostly has. */
static bool
read_front(struct dec *d, struct record_header *h)
{
	uint64_t kind = dec_u(d);

	h->kind = kind <= UINT16_MAX ? (enum record_kind)kind : 0;
	dec_name(d, h->person);
	h->token = dec_u(d);
	h->has_case = !d->failed && !dec_nil(d);
	if (h->has_case)
		h->has_case = dec_bn(d, h->case_id, ID_LEN);
	return !d->failed;
}

int
record_header_decode(struct record_header *ret, struct span bytes, struct err *err)
{
	struct record_header *h = ret;
	struct dec d = dec_open(bytes);
	uint32_t n;
	uint64_t seen = 0, version;

	memset(h, 0, sizeof(*h));
	if (bytes.len > HEADER_MAX)
		return err_set(err, ERR_INVALID, "record header has %zu bytes", bytes.len);
	n = dec_array(&d);
	version = dec_u(&d);
	if (!read_front(&d, h) || n != HEADER_LENGTH || version != 1)
		return err_set(
		    err, ERR_INVALID, "record header: version, length or first elements");
	h->expect = dec_u(&d);
	(void)dec_bn(&d, h->id, ID_LEN);
	h->again = dec_u(&d);
	(void)dec_bn(&d, h->boot, ID_LEN);
	h->t_start = dec_u(&d);
	h->t_end = dec_u(&d);
	h->t_entry = dec_u(&d);
	h->server_wall = dec_u(&d);
	h->server_boot = dec_u(&d);
	h->pc_wall = dec_u(&d);
	h->quality = dec_u(&d);
	if (d.failed || h->again > 1 || h->quality > 1 || h->token >= TOKEN_MAX)
		return err_set(err, ERR_INVALID, "record header: token, id, times or flags");
	if (read_fields(&d, h, &seen, err) < 0)
		return -1;
	if (!dec_end(&d))
		return err_set(err, ERR_INVALID, "record header: bytes after its end");
	return check_rule(h, seen, err);
}

static void
write_value(struct buf *out, const struct field *f, enum field_key key)
{
	const struct span *s = &f->bytes;

	switch (fields[key].type) {
	case FIELD_U: enc_u(out, f->u); break;
	case FIELD_STR: enc_sn(out, (const char *)s->data, s->len); break;
	case FIELD_REFS:
	case FIELD_BIN: enc_span(out, *s); break;
	case FIELD_STRS:
	case FIELD_BINS:
		enc_array(out, f->n);
		for (uint8_t i = 0; i < f->n; i++) {
			if (fields[key].type == FIELD_STRS)
				enc_sn(out, (const char *)f->list[i].data, f->list[i].len);
			else
				enc_span(out, f->list[i]);
		}
		break;
	case FIELD_NONE: break;
	}
}

void
record_header_encode(struct buf *out, const struct record_header *h)
{
	size_t start = out->len;
	uint32_t pairs = 0;

	enc_array(out, HEADER_LENGTH);
	enc_u(out, 1);
	enc_u(out, (uint64_t)h->kind);
	enc_s(out, h->person);
	enc_u(out, h->token);
	if (h->has_case)
		enc_b(out, h->case_id, ID_LEN);
	else
		enc_nil(out);
	enc_u(out, h->expect);
	enc_b(out, h->id, ID_LEN);
	enc_u(out, h->again);
	enc_b(out, h->boot, ID_LEN);
	enc_u(out, h->t_start);
	enc_u(out, h->t_end);
	enc_u(out, h->t_entry);
	enc_u(out, h->server_wall);
	enc_u(out, h->server_boot);
	enc_u(out, h->pc_wall);
	enc_u(out, h->quality);
	for (int key = 1; key < FIELD_KEYS; key++)
		pairs += h->f[key].set;
	CHECK(pairs <= FIELD_PAIRS_MAX);
	enc_array(out, 2 * pairs);
	for (int key = 1; key < FIELD_KEYS; key++) {
		if (!h->f[key].set)
			continue;
		enc_u(out, (uint64_t)key);
		write_value(out, &h->f[key], (enum field_key)key);
	}
	CHECK(out->len - start <= HEADER_MAX);
}

void
field_set_u(struct record_header *h, enum field_key key, uint64_t v)
{
	CHECK(field_type(key) == FIELD_U);
	h->f[key] = (struct field){.set = true, .u = v};
}

void
field_set_s(struct record_header *h, enum field_key key, const char *text)
{
	CHECK(field_type(key) == FIELD_STR);
	h->f[key] = (struct field){.set = true, .bytes = span_str(text)};
}

void
field_set_b(struct record_header *h, enum field_key key, const void *data, size_t len)
{
	CHECK(field_type(key) == FIELD_REFS
	          ? len > 0 && len % ID_LEN == 0 && len <= fields[key].limit
	          : field_type(key) == FIELD_BIN && len == fields[key].limit);
	h->f[key] = (struct field){.set = true, .bytes = span_of(data, len)};
}

void
field_add(struct record_header *h, enum field_key key, const void *data, size_t len)
{
	struct field *f = &h->f[key];

	CHECK(field_type(key) == FIELD_STRS || field_type(key) == FIELD_BINS);
	CHECK(f->n < fields[key].limit);
	f->set = true;
	f->list[f->n++] = span_of(data, len);
}
