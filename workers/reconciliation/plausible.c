/* plausible.c - the rules. A call ended when it was saved at the latest, so it began so many seconds before that. */
#include <string.h>

#include "workers/reconciliation/plausible.h"

#define SHANGHAI_MIN 480
#define DAY_MIN      1440

const struct plausible_rules plausible_default = {5, 5, 3, 510, 1290, 7200};

static const struct {
	const char *code, *zh;
} words[FLAG_KINDS] = {
    [FLAG_OVERLAP] = {"overlap", "与前一个电话时间重叠"},
    [FLAG_CLOCK] = {"clock", "一天的通话比这段时间还长"},
    [FLAG_QUICK] = {"quick", "几秒钟就确认"},
    [FLAG_COPIED] = {"copied", "备注与别的个案相同"},
    [FLAG_HOURS] = {"hours", "不在拨打时间"},
    [FLAG_LATE_TYPED] = {"late-typed", "过了很久才录入"},
};

const char *
flag_code(enum flag_kind kind)
{
	return words[kind].code;
}

const char *
flag_zh(enum flag_kind kind)
{
	return words[kind].zh;
}

static int64_t
began(const struct call_told *c)
{
	return c->at - c->seconds * 1000;
}

static bool
has_note(const struct call_told *c)
{
	static const uint8_t none[16];

	return memcmp(c->note, none, 16) != 0;
}

/* In how many cases this note stands. */
static int64_t
cases_of_note(const struct call_told *calls, size_t n, size_t me)
{
	int64_t cases = 0;

	for (size_t i = 0; i < n; i++) {
		bool seen = false;

		if (memcmp(calls[i].note, calls[me].note, 16) != 0)
			continue;
		for (size_t j = 0; j < i && !seen; j++)
			seen = memcmp(calls[j].note, calls[me].note, 16) == 0 &&
			       memcmp(calls[j].case_id, calls[i].case_id, 16) == 0;
		cases += !seen;
	}
	return cases;
}

/* How many seconds the calls took beyond what the clock allows from the first one's beginning to the last one's end. */
static int64_t
beyond_clock(const struct call_told *calls, size_t n, size_t *ret_last)
{
	int64_t told = 0, from = INT64_MAX, until = INT64_MIN;

	for (size_t i = 0; i < n; i++) {
		if (!calls[i].phone || calls[i].seconds <= 0)
			continue;
		told += calls[i].seconds;
		from = began(&calls[i]) < from ? began(&calls[i]) : from;
		until = calls[i].at > until ? calls[i].at : until;
		*ret_last = i;
	}
	return told == 0 ? 0 : told - (until - from) / 1000;
}

static size_t
one_call(const struct call_told *calls, size_t n, size_t i, const struct plausible_rules *r,
    int64_t ended, struct flag *out)
{
	const struct call_told *c = &calls[i];
	int64_t minute = (c->at / 60000 + SHANGHAI_MIN) % DAY_MIN, v;
	size_t k = 0;

	v = (ended - began(c)) / 1000;
	if (c->phone && c->seconds > 0 && v > r->slack_s)
		out[k++] = (struct flag){FLAG_OVERLAP, i, v};
	if (c->confirmed && c->phone && c->seconds > 0 && c->seconds <= r->quick_s)
		out[k++] = (struct flag){FLAG_QUICK, i, c->seconds};
	if (has_note(c) && (v = cases_of_note(calls, n, i)) >= r->copies)
		out[k++] = (struct flag){FLAG_COPIED, i, v};
	if (c->phone && !c->inbound && (minute < r->from || minute > r->until))
		out[k++] = (struct flag){FLAG_HOURS, i, minute};
	v = c->granted >= 0 ? (c->at - c->granted) / 1000 - c->seconds : 0;
	if (c->phone && v > r->late_typed_s)
		out[k++] = (struct flag){FLAG_LATE_TYPED, i, v};
	return k;
}

size_t
plausible_day(
    const struct call_told *calls, size_t n, const struct plausible_rules *rules, struct flag *out)
{
	int64_t ended = INT64_MIN / 2, v;
	size_t k = 0, last = 0;

	for (size_t i = 0; i < n; i++) {
		k += one_call(calls, n, i, rules, ended, out + k);
		if (calls[i].phone && calls[i].seconds > 0 && calls[i].at > ended)
			ended = calls[i].at;
	}
	v = beyond_clock(calls, n, &last);
	if (v > rules->slack_s)
		out[k++] = (struct flag){FLAG_CLOCK, last, v};
	return k;
}
