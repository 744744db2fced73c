/* entry.c - field by field, strict: an unknown field, a wrong type or a word of another form refuses the
 * whole command, because a record that says less than its writer meant cannot be told from a right one.
 *
 * Happy path: each field of the command has a row in a table that says where it goes. Failures name the
 * field. Times are "YYYY-MM-DD HH:MM", RFC 3339, or milliseconds. */
#include "workers/caller/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/uuid.h"
#include "proto/call.h"
#include "proto/chain.h"
#include "workers/caller/bits.h"

#define NONE_BYTES  120 /* why there is no number of a kind */
#define NOTE_BYTES  4000
#define TEXT_BYTES  1000
#define TOKEN_LIMIT (((uint64_t)TOKEN_EPOCH_MAX + 1) << TOKEN_EPOCH_BITS)

static bool
bad(struct refusal *why, const char *key)
{
	(void)refuse(why, "bad-field", "字段 %s 的值不对", key);
	return false;
}

/* ---- forms --------------------------------------------------------------------------------------- */

static bool
is_word(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len > 0 && len <= max && strspn(s, "abcdefghijklmnopqrstuvwxyz-") == len;
}

static bool
is_code(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len > 0 && len <= max &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
	           len;
}

bool
entry_digits(const char *s)
{
	size_t len = strlen(s);

	return len >= 3 && len <= 20 && strspn(s, "0123456789") == len;
}

bool
entry_time(const json_t *v, uint64_t *ret)
{
	int64_t ms;

	if (json_is_integer(v) && json_integer_value(v) > 0) {
		*ret = (uint64_t)json_integer_value(v);
		return true;
	}
	if (!json_is_string(v) || !clock_parse(json_string_value(v), &ms) || ms <= 0)
		return false;
	*ret = (uint64_t)ms;
	return true;
}

bool
entry_id(const json_t *v, uint8_t ret[16])
{
	static const uint8_t none[16];

	return json_is_string(v) && uuid_parse(ret, json_string_value(v)) &&
	       memcmp(ret, none, 16) != 0;
}

bool
entry_case(const json_t *o, uint8_t ret[16], struct refusal *why)
{
	const json_t *v = json_object_get(o, "case");

	if (v == NULL) {
		(void)refuse(why, "missing-field", "缺少字段 case");
		return false;
	}
	if (!json_is_string(v) || !hex_decode(ret, 16, json_string_value(v), json_string_length(v)))
		return bad(why, "case");
	return true;
}

bool
entry_token(const json_t *o, uint64_t *ret, struct refusal *why)
{
	const json_t *v = json_object_get(o, "token");

	if (v == NULL) {
		(void)refuse(why, "missing-field", "缺少字段 token");
		return false;
	}
	if (!json_is_string(v) ||
	    !token_parse(ret, span_of(json_string_value(v), json_string_length(v))) || *ret == 0 ||
	    *ret >= TOKEN_LIMIT)
		return bad(why, "token");
	return true;
}

bool
entry_word(const json_t *o, const char *key, const char *def, const char **ret, struct refusal *why)
{
	const json_t *v = json_object_get(o, key);

	*ret = def;
	if (v == NULL && def != NULL)
		return true;
	if (v == NULL) {
		(void)refuse(why, "missing-field", "缺少字段 %s", key);
		return false;
	}
	if (!json_is_string(v) || !is_word(json_string_value(v), ENTRY_WORD_MAX))
		return bad(why, key);
	*ret = json_string_value(v);
	return true;
}

/* ---- fields that are read one way ---------------------------------------------------------------- */

enum form { FORM_WORD, FORM_CODE, FORM_COUNT, FORM_TIME, FORM_TEXT };

struct field_row {
	const char *key;
	enum form form;
	enum field_key to; /* header */
	size_t at, max;    /* body: offset of the span; most bytes */
	unsigned kinds;    /* bits of record kinds that have it */
};
#define KIND(k) (1u << REC_##k)
#define HEAD(key, form, field, max, kinds)                                                         \
	{                                                                                          \
		key, form, F_##field, 0, max, kinds                                                \
	}
#define BODY(key, field, max, kinds)                                                               \
	{                                                                                          \
		key, FORM_TEXT, (enum field_key)0, offsetof(struct body, field), max, kinds        \
	}

static const struct field_row rows[] = {
    HEAD("outcome", FORM_WORD, outcome, 24, KIND(ATTEMPT)),
    HEAD("channel", FORM_WORD, channel, 16, KIND(ATTEMPT)),
    HEAD("seconds", FORM_COUNT, seconds, 86400, KIND(ATTEMPT)),
    HEAD("spoke", FORM_WORD, spoke, 16, KIND(ATTEMPT)),
    HEAD("script", FORM_CODE, script, 32, KIND(ATTEMPT)),
    HEAD("decide_by", FORM_TIME, decide_by, 0, KIND(ATTEMPT)),
    HEAD("rung", FORM_COUNT, rung, 99, KIND(ATTEMPT) | KIND(NUMBER)),
    HEAD("line", FORM_CODE, line, 24, KIND(ATTEMPT)),
    HEAD("direction", FORM_WORD, direction, 8, KIND(ATTEMPT)),
    HEAD("what", FORM_CODE, what, 48, KIND(ATTEMPT) | KIND(REVEAL) | KIND(PAPER)),
    HEAD("items", FORM_COUNT, items, 63, KIND(PAPER)),
    HEAD("source", FORM_CODE, source, 32, KIND(NUMBER)),
    HEAD("valid", FORM_COUNT, valid, 1, KIND(NUMBER)),
    HEAD("reason", FORM_CODE, reason, 48, KIND(REVEAL)),
    BODY("note", note, NOTE_BYTES, KIND(ATTEMPT) | KIND(NOTE) | KIND(NUMBER) | KIND(PAPER)),
    BODY("words", words, TEXT_BYTES, KIND(ATTEMPT)),
    BODY("answered", answered, TEXT_BYTES, KIND(ATTEMPT)),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool
take_row(struct entry_record *r, const struct field_row *row, const json_t *v)
{
	const char *s = json_string_value(v);
	uint64_t n = 0;

	switch (row->form) {
	case FORM_WORD:
		if (s == NULL || !is_word(s, row->max))
			return false;
		field_set_s(&r->h, row->to, s);
		return true;
	case FORM_CODE:
		if (s == NULL || !is_code(s, row->max))
			return false;
		field_set_s(&r->h, row->to, s);
		return true;
	case FORM_COUNT:
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
		    (uint64_t)json_integer_value(v) > row->max)
			return false;
		field_set_u(&r->h, row->to, (uint64_t)json_integer_value(v));
		return true;
	case FORM_TIME:
		if (!entry_time(v, &n))
			return false;
		field_set_u(&r->h, row->to, n);
		return true;
	case FORM_TEXT:
		if (s == NULL || json_string_length(v) > row->max)
			return false;
		*(struct span *)(void *)((char *)&r->body + row->at) =
		    span_of(s, json_string_length(v));
		return true;
	}
	return false;
}

/* ---- fields with a shape of their own ------------------------------------------------------------ */

static bool
take_ticks(struct entry_record *r, const json_t *v)
{
	uint64_t bits;

	if (!bits_take(v, bits_ticks, &bits))
		return false;
	field_set_u(&r->h, F_ticks, bits);
	return true;
}

static bool
take_done(struct entry_record *r, const json_t *v)
{
	uint64_t bits;

	if (!bits_take(v, bits_done, &bits))
		return false;
	field_set_u(&r->h, F_items, bits);
	return true;
}

static bool
take_concerns(struct entry_record *r, const json_t *v)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > FIELD_LIST_MAX)
		return false;
	json_array_foreach(v, i, one)
	{
		if (!json_is_string(one) || !is_word(json_string_value(one), ENTRY_WORD_MAX))
			return false;
		field_add(&r->h, F_concerns, json_string_value(one), json_string_length(one));
	}
	return true;
}

static bool
take_evidence(struct entry_record *r, const json_t *v)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > 8)
		return false;
	json_array_foreach(v, i, one)
	{
		if (!json_is_string(one) || !hex_decode(r->evidence[i], 32, json_string_value(one),
		                                json_string_length(one)))
			return false;
		field_add(&r->h, F_evidence, r->evidence[i], 32);
	}
	return true;
}

static bool
take_next_step(struct entry_record *r, const json_t *v)
{
	const json_t *what = json_object_get(v, "do"), *at = json_object_get(v, "at");
	uint64_t ms;
	size_t known = (what != NULL ? 1u : 0u) + (at != NULL ? 1u : 0u);

	if (!json_is_object(v) || json_object_size(v) != known)
		return false;
	if (what != NULL) {
		if (!json_is_string(what) || !is_word(json_string_value(what), ENTRY_WORD_MAX))
			return false;
		field_set_s(&r->h, F_next_do, json_string_value(what));
	}
	if (at != NULL) {
		if (!entry_time(at, &ms))
			return false;
		field_set_u(&r->h, F_next_at, ms);
	}
	return true;
}

static bool
take_number(struct entry_record *r, const json_t *v)
{
	if (json_is_integer(v) && json_integer_value(v) >= 1 &&
	    json_integer_value(v) <= TASK_NUMBERS) {
		r->number = (uint64_t)json_integer_value(v);
		return true;
	}
	if (!json_is_string(v) || !entry_digits(json_string_value(v)))
		return false;
	r->digits = json_string_value(v);
	return true;
}

/* A number that came up: {"digits": …, "kind": …}, or both in the command itself for do = number; there also
 * {"kind": …, "none": why there is no such number}. */
static bool
take_found(struct entry_record *r, const json_t *v)
{
	const char *digits = json_string_value(json_object_get(v, "digits")),
	           *kind = json_string_value(json_object_get(v, "kind")),
	           *none = json_string_value(json_object_get(v, "none"));

	if ((kind == NULL && json_object_get(v, "kind") != NULL) ||
	    (kind != NULL && !is_word(kind, ENTRY_WORD_MAX)))
		return false;
	r->body.kind = kind == NULL ? r->body.kind : span_str(kind);
	if (r->h.kind == REC_NUMBER && none != NULL && kind != NULL && digits == NULL) {
		r->body.note = span_str(none);
		field_set_u(&r->h, F_valid, 0);
		return none[0] != '\0' && strlen(none) <= NONE_BYTES;
	}
	r->body.digits = digits == NULL ? r->body.digits : span_str(digits);
	return digits != NULL && none == NULL && entry_digits(digits);
}

static bool
take_then(struct entry_record *r, const json_t *v)
{
	if (!json_is_string(v))
		return false;
	if (strcmp(json_string_value(v), "next") == 0)
		r->then = CLIENT_NEXT;
	return r->then == CLIENT_NEXT || strcmp(json_string_value(v), "stay") == 0;
}

static bool
take_again(struct entry_record *r, const json_t *v)
{
	if (json_is_true(v))
		r->h.again = 1;
	return json_is_boolean(v);
}

static bool
take_id(struct entry_record *r, const json_t *v)
{
	return entry_id(v, r->h.id);
}

static const struct {
	const char *key;
	bool (*take)(struct entry_record *r, const json_t *v);
	unsigned kinds;
} shapes[] = {
    {"ticks", take_ticks, KIND(ATTEMPT)},
    {"done", take_done, KIND(ATTEMPT) | KIND(NOTE)},
    {"concerns", take_concerns, KIND(ATTEMPT)},
    {"evidence", take_evidence, KIND(ATTEMPT) | KIND(NOTE) | KIND(PAPER)},
    {"next_step", take_next_step, KIND(ATTEMPT)},
    {"number", take_number, KIND(ATTEMPT)},
    {"found", take_found, KIND(ATTEMPT)},
    {"then", take_then, KIND(ATTEMPT) | KIND(NOTE) | KIND(NUMBER) | KIND(REVEAL)},
    {"again", take_again, KIND(ATTEMPT) | KIND(NUMBER)},
    {"id", take_id, ~0u},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* ---- a whole command ----------------------------------------------------------------------------- */

static int
take_field(struct entry_record *r, const char *key, const json_t *v, struct refusal *why)
{
	unsigned bit = 1u << r->h.kind;

	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].key, key) != 0 || (rows[i].kinds & bit) == 0)
			continue;
		return take_row(r, &rows[i], v) ? 0 : (bad(why, key), -1);
	}
	for (size_t i = 0; i < SHAPES; i++) {
		if (strcmp(shapes[i].key, key) != 0 || (shapes[i].kinds & bit) == 0)
			continue;
		return shapes[i].take(r, v) ? 0 : (bad(why, key), -1);
	}
	return refuse(why, "unknown-field", "不认识的字段 %s", key);
}

static bool
is_common(const struct entry_record *r, const char *key)
{
	return strcmp(key, "do") == 0 || strcmp(key, "case") == 0 || strcmp(key, "token") == 0 ||
	       (r->h.kind == REC_NUMBER &&
	           (strcmp(key, "digits") == 0 || strcmp(key, "kind") == 0 ||
	               strcmp(key, "none") == 0));
}

static enum record_kind
kind_of(const json_t *o)
{
	const char *what = json_string_value(json_object_get(o, "do"));

	if (strcmp(what, "note") == 0)
		return REC_NOTE;
	if (strcmp(what, "number") == 0)
		return REC_NUMBER;
	if (strcmp(what, "paper") == 0)
		return REC_PAPER;
	return strcmp(what, "reveal") == 0 ? REC_REVEAL : REC_ATTEMPT;
}

/* A call out stands on a token; a chat, a visit or a call in may come without one. */
static bool
wants_token(const struct entry_record *r)
{
	const struct field *channel = &r->h.f[F_channel], *direction = &r->h.f[F_direction];

	return r->h.kind == REC_ATTEMPT &&
	       (!channel->set || span_eq_str(channel->bytes, "phone")) &&
	       !(direction->set && span_eq_str(direction->bytes, "in"));
}

static int
check_whole(struct entry_record *r, const json_t *o, struct refusal *why)
{
	if (json_object_get(o, "case") != NULL || r->h.kind != REC_NOTE) {
		if (!entry_case(o, r->h.case_id, why))
			return -1;
		r->h.has_case = true;
	}
	if ((json_object_get(o, "token") != NULL || wants_token(r)) &&
	    !entry_token(o, &r->h.token, why))
		return -1;
	if (r->h.kind == REC_ATTEMPT && !r->h.f[F_outcome].set)
		return refuse(why, "missing-field", "缺少字段 outcome");
	if (r->h.kind == REC_NOTE && r->body.note.len == 0)
		return refuse(why, "missing-field", "缺少字段 note");
	if (r->h.kind == REC_PAPER && !r->h.f[F_items].set)
		return refuse(why, "missing-field", "缺少字段 items");
	if (r->h.kind == REC_REVEAL && !r->h.f[F_reason].set)
		return refuse(why, "missing-field", "缺少字段 reason");
	if (r->h.kind == REC_NUMBER && !take_found(r, o))
		return refuse(why, "bad-field", "字段 digits、kind 或 none 的值不对");
	if (r->h.token != 0 && !r->h.has_case)
		return refuse(why, "missing-field", "缺少字段 case");
	if (r->h.again != 0 && (r->h.token == 0 || r->then == CLIENT_NEXT))
		return refuse(why, "bad-field", "again 与 then 矛盾, 或没有 token");
	if (r->h.again != 0)
		r->then = CLIENT_STAY;
	return 0;
}

/* The call's times as far as they are known: it ended when it was typed in. */
static void
fill_times(struct entry_record *r)
{
	uint64_t now = (uint64_t)clock_boot_us();

	r->h.t_entry = now;
	if (r->h.kind != REC_ATTEMPT)
		return;
	r->h.quality = 1;
	if (!r->h.f[F_seconds].set)
		return;
	r->h.t_end = now;
	r->h.t_start =
	    now > r->h.f[F_seconds].u * 1000000 ? now - r->h.f[F_seconds].u * 1000000 : 1;
}

int
entry_record(struct entry_record *ret, const json_t *o, const char *person, struct refusal *why)
{
	const char *key;
	json_t *v;

	memset(ret, 0, sizeof(*ret));
	ret->h.kind = kind_of(o);
	ret->then = CLIENT_LEAVE;
	(void)snprintf(ret->h.person, sizeof(ret->h.person), "%s", person);
	json_object_foreach((json_t *)o, key, v)
	{
		if (!is_common(ret, key) && !json_is_null(v) && take_field(ret, key, v, why) != 0)
			return -1;
	}
	if (check_whole(ret, o, why) != 0)
		return -1;
	fill_times(ret);
	return 0;
}

void
entry_number(struct entry_record *r, const uint8_t case_key[32], const char *digits)
{
	chain_number_id(r->number_id, case_key, digits);
	field_set_b(&r->h, F_number, r->number_id, sizeof(r->number_id));
}
