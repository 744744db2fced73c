/* state.c - the memory of a case as bytes: fixed fields, numbers, the hand's name, a checksum.
 *
 * Unpacking believes nothing: version, checksum, every enumeration, every spare bit and the exact
 * length are looked at, and what was read must pack to the same bytes. The checksum tells damage from
 * ours; it is no seal. */
#include "workers/escalation/state.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "workers/escalation/calendar.h"

#define FIXED_LEN   72
#define NUMBER_SIZE 9
#define TIME_NEVER  UINT32_MAX
#define TIMES       9

static uint32_t
checksum(const uint8_t *p, size_t len)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static void
put_time(uint8_t *p, int64_t t)
{
	CHECK(t == CALENDAR_NEVER || (t >= 0 && t % 1000 == 0 && t / 1000 < TIME_NEVER));
	be32_put(p, t == CALENDAR_NEVER ? TIME_NEVER : (uint32_t)(t / 1000));
}

static int64_t
get_time(const uint8_t *p)
{
	uint32_t s = be32_get(p);

	return s == TIME_NEVER ? CALENDAR_NEVER : (int64_t)s * 1000;
}

static unsigned
flags_of(const struct law_case *c)
{
	return (unsigned)c->hot | (unsigned)c->asked << 1 | (unsigned)c->no_dial << 2 |
	       (unsigned)c->spoke_self << 3 | (unsigned)c->papers << 4 | (unsigned)c->ticked << 5 |
	       (unsigned)c->bound << 6 | (unsigned)c->reserved << 7 | (unsigned)c->acted << 8 |
	       (unsigned)c->lost_ruling << 9 | (unsigned)c->warned << 10 |
	       (unsigned)c->special_master << 14 | (unsigned)c->rung_9 << 15;
}

static void
set_flags(struct law_case *c, unsigned f)
{
	c->hot = f & 1;
	c->asked = f >> 1 & 1;
	c->no_dial = f >> 2 & 1;
	c->spoke_self = f >> 3 & 1;
	c->papers = f >> 4 & 1;
	c->ticked = f >> 5 & 1;
	c->bound = f >> 6 & 1;
	c->reserved = f >> 7 & 1;
	c->acted = f >> 8 & 1;
	c->lost_ruling = f >> 9 & 1;
	c->warned = (uint8_t)(f >> 10 & 15);
	c->special_master = f >> 14 & 1;
	c->rung_9 = f >> 15 & 1;
}

static void
pack_fixed(uint8_t *p, const struct law_case *c)
{
	const int64_t times[TIMES] = {c->due, c->promised_at, c->decide_by, c->since, c->deadline,
	    c->strike_by, c->pass_end, c->rung_by, c->last_at};
	unsigned flags = flags_of(c);

	p[0] = LAW_BLOB_VERSION;
	p[1] = (uint8_t)(c->stage << 4 | c->by_hand << 3 | c->incomplete << 2 | c->pass);
	p[2] = (uint8_t)((unsigned)c->place << 4 | (unsigned)c->cls);
	p[3] = (uint8_t)((unsigned)c->former_state << 4 | (unsigned)c->state);
	p[4] = (uint8_t)c->last;
	p[5] = (uint8_t)c->talk;
	p[6] = (uint8_t)c->soft;
	p[7] = (uint8_t)c->round;
	p[8] = c->talk_run;
	p[9] = c->soft_run;
	p[10] = c->fails;
	p[11] = (uint8_t)(c->attempts >> 8);
	p[12] = (uint8_t)c->attempts;
	p[13] = (uint8_t)(c->contacts >> 8);
	p[14] = (uint8_t)c->contacts;
	be32_put(p + 15, c->seconds);
	p[19] = c->stage_attempts;
	p[20] = c->stage_contacts;
	p[21] = (uint8_t)(c->parts_tried << 4 | c->rung);
	p[22] = (uint8_t)(c->part_fails[0] << 4 | c->part_fails[1]);
	p[23] = (uint8_t)(c->part_fails[2] << 4 | c->part_fails[3]);
	p[24] = (uint8_t)(c->rungs_done >> 4);
	p[25] = (uint8_t)(c->rungs_done << 4 | c->rungs_waived >> 8);
	p[26] = (uint8_t)c->rungs_waived;
	p[27] = (uint8_t)(flags >> 8);
	p[28] = (uint8_t)flags;
	p[29] = (uint8_t)((unsigned)c->then << 4 | (unsigned)c->then_strike);
	p[30] = (uint8_t)((unsigned)c->former << 4 | (unsigned)c->strike);
	p[31] = c->give_ups;
	be32_put(p + 32, c->signer);
	for (int i = 0; i < TIMES; i++)
		put_time(p + 36 + 4 * i, times[i]);
}

/* Fields that are wider than their values are looked at by in_range afterwards. */
static void
unpack_fixed(struct law_case *c, const uint8_t *p)
{
	int64_t *const times[TIMES] = {&c->due, &c->promised_at, &c->decide_by, &c->since,
	    &c->deadline, &c->strike_by, &c->pass_end, &c->rung_by, &c->last_at};

	c->stage = p[1] >> 4;
	c->pass = p[1] & 3;
	c->incomplete = p[1] >> 2 & 1;
	c->by_hand = p[1] >> 3 & 1;
	c->place = (enum place)(p[2] >> 4);
	c->cls = (enum own_class)(p[2] & 15);
	c->state = (enum intent)(p[3] & 15);
	c->former_state = (enum intent)(p[3] >> 4);
	c->last = (enum outcome)p[4];
	c->talk = (enum outcome)p[5];
	c->soft = (enum outcome)p[6];
	c->round = (enum outcome)p[7];
	c->talk_run = p[8];
	c->soft_run = p[9];
	c->fails = p[10];
	c->attempts = (uint16_t)(p[11] << 8 | p[12]);
	c->contacts = (uint16_t)(p[13] << 8 | p[14]);
	c->seconds = be32_get(p + 15);
	c->stage_attempts = p[19];
	c->stage_contacts = p[20];
	c->parts_tried = p[21] >> 4;
	c->rung = p[21] & 15;
	for (int i = 0; i < 4; i++)
		c->part_fails[i] = (uint8_t)(i % 2 == 0 ? p[22 + i / 2] >> 4 : p[22 + i / 2] & 15);
	c->rungs_done = (uint16_t)(p[24] << 4 | p[25] >> 4);
	c->rungs_waived = (uint16_t)((p[25] & 15) << 8 | p[26]);
	set_flags(c, (unsigned)p[27] << 8 | p[28]);
	c->then = (enum then_kind)(p[29] >> 4);
	c->then_strike = (enum strike_kind)(p[29] & 15);
	c->strike = (enum strike_kind)(p[30] & 15);
	c->former = (enum place)(p[30] >> 4);
	c->give_ups = p[31];
	c->signer = be32_get(p + 32);
	for (int i = 0; i < TIMES; i++)
		*times[i] = get_time(p + 36 + 4 * i);
}

static bool
in_range(const struct law_case *c)
{
	return c->stage >= 1 && c->stage <= 4 && c->pass <= 3 && c->place < PLACES &&
	       c->cls < CLASSES && c->state < STATES && c->last < OUT_COUNT &&
	       c->talk < OUT_COUNT && c->soft < OUT_COUNT && c->round < OUT_COUNT &&
	       c->rung < RUNG_COUNT && c->then <= THEN_CLOSE_RUNG &&
	       c->then_strike < STRIKE_KINDS && c->strike < STRIKE_KINDS && c->former < PLACES &&
	       c->former_state < STATES && (c->place != PLACE_STRIKE || c->strike != STRIKE_NONE);
}

static bool
unpack_rest(struct law_case *c, struct span blob)
{
	const uint8_t *p = blob.data + FIXED_LEN, *end = blob.data + blob.len;
	size_t len;

	if (p >= end || *p > LAW_NUMBERS || end - p < 2 + *p * NUMBER_SIZE)
		return false;
	c->n_numbers = *p++;
	for (int i = 0; i < c->n_numbers; i++, p += NUMBER_SIZE) {
		c->numbers[i].id = be64_get(p);
		c->numbers[i].state = (enum number_state)(p[8] & 15);
		c->numbers[i].tried = p[8] >> 4 & 1;
		c->numbers[i].wrong_elsewhere = p[8] >> 5 & 1;
		if (p[8] >> 6 != 0 || c->numbers[i].state >= NUMBER_UNCHANGED)
			return false;
	}
	len = *p++;
	if (len > LAW_NAME_MAX || (size_t)(end - p) != len ||
	    (len > 0 && !text_is_id((const char *)p, len)))
		return false;
	memcpy(c->hand, p, len);
	return true;
}

size_t
law_case_pack(uint8_t out[LAW_BLOB_MAX], const struct law_case *c)
{
	size_t len = FIXED_LEN, hand = strlen(c->hand);

	CHECK(in_range(c) && c->n_numbers <= LAW_NUMBERS && hand <= LAW_NAME_MAX);
	pack_fixed(out, c);
	out[len++] = c->n_numbers;
	for (int i = 0; i < c->n_numbers; i++, len += NUMBER_SIZE) {
		be64_put(out + len, c->numbers[i].id);
		out[len + 8] =
		    (uint8_t)((unsigned)c->numbers[i].state | (unsigned)c->numbers[i].tried << 4 |
		              (unsigned)c->numbers[i].wrong_elsewhere << 5);
	}
	out[len++] = (uint8_t)hand;
	memcpy(out + len, c->hand, hand);
	len += hand;
	be32_put(out + len, checksum(out, len));
	len += 4;
	CHECK(len <= LAW_BLOB_MAX);
	return len;
}

int
law_case_unpack(struct law_case *ret, struct span blob, struct err *err)
{
	struct law_case c = {0};
	struct span inner = blob;

	if (blob.len < FIXED_LEN + 6 || blob.len > LAW_BLOB_MAX)
		return err_set(err, ERR_CORRUPT, "law memory of %zu bytes", blob.len);
	if (blob.data[0] != LAW_BLOB_VERSION)
		return err_set(err, ERR_CORRUPT, "law memory of version %d", blob.data[0]);
	inner.len -= 4;
	if (be32_get(blob.data + inner.len) != checksum(blob.data, inner.len))
		return err_set(err, ERR_CORRUPT, "law memory is damaged");
	unpack_fixed(&c, blob.data);
	if (!in_range(&c) || !unpack_rest(&c, inner))
		return err_set(err, ERR_CORRUPT, "law memory has values that no law wrote");
	*ret = c;
	return 0;
}

void
law_case_init(struct law_case *c)
{
	memset(c, 0, sizeof(*c));
	c->stage = 2;
	c->due = CALENDAR_NEVER;
}

const char *
place_name(enum place p)
{
	static const char *const names[PLACES] = {"unreleased", "pool", "own", "team", "strike",
	    "papers", "supervision", "parked", "resting", "terminal"};

	CHECK(p < PLACES);
	return names[p];
}

const char *
intent_name(enum intent s)
{
	static const char *const names[STATES] = {"new", "in-progress", "confirmed", "considering",
	    "will-not-say", "unreachable", "withdraw-asked", "withdrawn", "admitted", "wavering",
	    "regrets", "deferred", "not-coming", "registered"};

	CHECK(s < STATES);
	return names[s];
}
