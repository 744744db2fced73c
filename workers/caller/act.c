/* act.c - a leader's, supervisor's or head's command into a record: any kind that has no command of its own.
 *
 * Happy path: the kind names its row (record_rule), each field of "fields" one of that row, read by its type.
 * Failures name the field, or who could say it: the roles are looked at here for a clear word, and judged by
 * the broker. What is said in several records (imports, enrolments, policies) is hfctl's. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/uuid.h"
#include "proto/roles.h"
#include "workers/caller/entry.h"

#define NOTE_BYTES 4000

static const enum record_kind kinds[] = {REC_NOTE, REC_HANDOVER, REC_FINDING, REC_RELEASE,
    REC_STAGE, REC_PASS, REC_ABSENCE, REC_APPROVAL, REC_CORRECTION, REC_SIGNOFF, REC_RULING,
    REC_WAIVER, REC_REOPEN, REC_ADOPT, REC_DISMISS, REC_INQUIRY, REC_DRAW, REC_DISPUTE, REC_PAUSE,
    REC_DECISION};

/* What is a moment, and may be written as one. */
static const enum field_key times[] = {F_next_at, F_decide_by, F_until};

static bool
is_time(enum field_key key)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] == key)
			return true;
	return false;
}

/* ---- values -------------------------------------------------------------------------------------- */

static bool
take_u(struct act *a, enum field_key key, const json_t *v)
{
	uint64_t n;

	if (json_is_boolean(v))
		n = json_is_true(v) ? 1 : 0;
	else if (json_is_integer(v) && json_integer_value(v) >= 0)
		n = (uint64_t)json_integer_value(v);
	else if (!is_time(key) || !entry_time(v, &n))
		return false;
	field_set_u(&a->h, key, n);
	return true;
}

static bool
take_s(struct act *a, enum field_key key, const json_t *v)
{
	size_t len = json_string_length(v);

	if (!json_is_string(v) || len == 0 || len > field_limit(key) ||
	    (field_is_id(key) && !text_is_id(json_string_value(v), len)))
		return false;
	field_set_s(&a->h, key, json_string_value(v));
	return true;
}

static bool
take_bin(struct act *a, enum field_key key, const json_t *v)
{
	size_t len = field_limit(key);

	if (!json_is_string(v) || len > sizeof(a->bin[0]) ||
	    !hex_decode(a->bin[key], len, json_string_value(v), json_string_length(v)))
		return false;
	field_set_b(&a->h, key, a->bin[key], len);
	return true;
}

static bool
take_list(struct act *a, enum field_key key, const json_t *v)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > field_limit(key))
		return false;
	json_array_foreach(v, i, one)
	{
		size_t len = json_string_length(one);

		if (!json_is_string(one) || len == 0)
			return false;
		if (key == F_evidence) {
			if (!hex_decode(a->evidence[i], 32, json_string_value(one), len))
				return false;
			field_add(&a->h, key, a->evidence[i], 32);
		} else {
			if (len > ENTRY_WORD_MAX)
				return false;
			field_add(&a->h, key, json_string_value(one), len);
		}
	}
	return true;
}

static int
take_field(struct act *a, const char *name, const json_t *v, struct refusal *why)
{
	const struct record_rule *rule = record_rule(a->h.kind);
	enum field_key key = field_by_name(name);
	bool ok = false;

	if (key == 0 || ((rule->required | rule->allowed) >> key & 1) == 0)
		return refuse(why, "unknown-field", "%s 没有字段 %.40s", a->kind, name);
	switch (field_type(key)) {
	case FIELD_U: ok = take_u(a, key, v); break;
	case FIELD_STR: ok = take_s(a, key, v); break;
	case FIELD_BIN: ok = take_bin(a, key, v); break;
	case FIELD_STRS:
	case FIELD_BINS: ok = take_list(a, key, v); break;
	case FIELD_REFS:
	case FIELD_NONE: break;
	}
	return ok ? 0 : refuse(why, "bad-field", "字段 %s 的值不对", name);
}

/* ---- the command --------------------------------------------------------------------------------- */

static int
take_kind(struct act *a, const json_t *o, struct refusal *why)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));
	char upper[sizeof(a->kind)] = "";
	int known;

	if (kind == NULL)
		return refuse(why, "missing-field", "缺少字段 kind");
	if (strlen(kind) < sizeof(upper))
		for (size_t i = 0; kind[i] != '\0'; i++)
			upper[i] = (char)toupper((unsigned char)kind[i]);
	known = record_kind_by_name(upper);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((int)kinds[i] != known)
			continue;
		a->h.kind = kinds[i];
		memcpy(a->kind, kind, strlen(kind) + 1);
		return 0;
	}
	return refuse(why, "unknown-kind", "没有 kind %.40s, 或者它有自己的命令", kind);
}

static int
take_member(struct act *a, const char *key, const json_t *v, struct refusal *why)
{
	if (strcmp(key, "do") == 0 || strcmp(key, "kind") == 0 || strcmp(key, "case") == 0 ||
	    strcmp(key, "fields") == 0 || json_is_null(v))
		return 0;
	if (strcmp(key, "note") == 0 && json_is_string(v) && json_string_length(v) <= NOTE_BYTES) {
		a->body.note = span_of(json_string_value(v), json_string_length(v));
		return 0;
	}
	if (strcmp(key, "id") == 0 && entry_id(v, a->h.id))
		return 0;
	if (strcmp(key, "note") == 0 || strcmp(key, "id") == 0)
		return refuse(why, "bad-field", "字段 %s 的值不对", key);
	return refuse(why, "unknown-field", "不认识的字段 %.40s", key);
}

static int
check_whole(struct act *a, const json_t *o, struct refusal *why)
{
	const struct record_rule *rule = record_rule(a->h.kind);
	bool has = json_object_get(o, "case") != NULL && !json_is_null(json_object_get(o, "case"));

	if (has && rule->case_id == RULE_NEVER)
		return refuse(why, "unknown-field", "%s 不针对一个名单, 不要 case", a->kind);
	if (has || rule->case_id == RULE_MUST) {
		if (!entry_case(o, a->h.case_id, why))
			return -1;
		a->h.has_case = true;
	}
	for (int key = 1; key < FIELD_KEYS; key++)
		if ((rule->required >> key & 1) != 0 && !a->h.f[key].set)
			return refuse(
			    why, "missing-field", "缺少字段 %s", field_name((enum field_key)key));
	return 0;
}

int
act_record(struct act *ret, const json_t *o, const char *person, struct refusal *why)
{
	json_t *fields = json_object_get(o, "fields");
	const char *key;
	json_t *v;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(ret->h.person, sizeof(ret->h.person), "%s", person);
	if (take_kind(ret, o, why) != 0)
		return -1;
	json_object_foreach((json_t *)o, key, v)
	{
		if (take_member(ret, key, v, why) != 0)
			return -1;
	}
	if (fields != NULL && !json_is_object(fields) && !json_is_null(fields))
		return refuse(why, "bad-field", "字段 fields 要是一个对象");
	json_object_foreach(fields, key, v)
	{
		if (!json_is_null(v) && take_field(ret, key, v, why) != 0)
			return -1;
	}
	return check_whole(ret, o, why);
}

int
act_allowed(const struct act *a, uint64_t roles, struct refusal *why)
{
	uint32_t may = record_rule(a->h.kind)->roles;
	char who[160] = "";
	size_t len = 0;

	if ((may & (ROLE_ANY | ROLE_OWNER | ROLE_SELF)) != 0 || (may & roles) != 0)
		return 0;
	for (uint32_t bit = 1; bit <= ROLES_ALL; bit <<= 1) {
		if ((may & bit) == 0 || role_zh(bit) == NULL)
			continue;
		len += (size_t)snprintf(
		    who + len, sizeof(who) - len, "%s%s", len > 0 ? "、" : "", role_zh(bit));
		if (len >= sizeof(who))
			break;
	}
	return refuse(why, "denied", "这件事只有%s能做", who);
}
