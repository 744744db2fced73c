/* lawprint.c - what the law remembers of cases, as JSON for hfctl: place, intention, rungs, numbers, deadlines.
 *
 * Happy path: each blob is unpacked and told in the words of the policy; instants are ms of campaign time and left out
 * when there is none. Numbers stand in the memory's order with what became of them, without digits. Failures: a blob
 * that does not read is null, so that the answers keep the order of the questions. */
#include "workers/escalation/lawprint.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "workers/escalation/calendar.h"
#include "workers/escalation/state.h"

static json_t *
rungs(unsigned bits)
{
	json_t *list = json_array();

	for (int i = 0; i < RUNG_COUNT; i++)
		if ((bits >> i & 1) != 0)
			(void)json_array_append_new(list, json_integer(i));
	return list;
}

static json_t *
numbers(const struct law_case *c)
{
	json_t *list = json_array();

	for (int i = 0; i < c->n_numbers; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s s:b s:b}", "state", number_state_name(c->numbers[i].state),
		        "tried", (int)c->numbers[i].tried, "wrong_elsewhere",
		        (int)c->numbers[i].wrong_elsewhere));
	return list;
}

static void
put_time(json_t *o, const char *key, int64_t at)
{
	if (at != 0 && at != CALENDAR_NEVER)
		(void)json_object_set_new(o, key, json_integer((json_int_t)at));
}

static json_t *
one(const char *hex)
{
	uint8_t blob[LAW_BLOB_MAX];
	size_t len = strlen(hex) / 2;
	struct law_case c;
	json_t *o;

	if (len > LAW_BLOB_MAX || !hex_decode(blob, len, hex, strlen(hex)) ||
	    law_case_unpack(&c, span_of(blob, len), NULL) != 0)
		return json_null();
	o = json_pack("{s:i s:i s:s s:s s:i s:i s:i s:i s:s s:o s:o s:b s:b s:o s:s}", "stage",
	    c.stage, "pass", c.pass, "place", place_name(c.place), "state", intent_name(c.state),
	    "attempts", c.attempts, "contacts", c.contacts, "seconds", (int)c.seconds, "rung",
	    c.rung, "strike", c.strike == STRIKE_NONE ? "" : strike_kind_name(c.strike),
	    "rungs_done", rungs(c.rungs_done), "rungs_waived", rungs(c.rungs_waived), "rung_9",
	    (int)c.rung_9, "lost_ruling", (int)c.lost_ruling, "numbers", numbers(&c), "hand",
	    c.hand);
	put_time(o, "since", c.since);
	put_time(o, "deadline", c.deadline);
	put_time(o, "decide_by", c.decide_by);
	put_time(o, "promised_at", c.promised_at);
	put_time(o, "strike_by", c.strike_by);
	put_time(o, "rung_by", c.rung_by);
	put_time(o, "pass_end", c.pass_end);
	put_time(o, "last_at", c.last_at);
	return o;
}

int
lawprint(char *const *hex)
{
	json_t *list = json_array();

	for (; *hex != NULL; hex++)
		(void)json_array_append_new(list, one(*hex));
	(void)json_dumpf(list, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(list);
	return 0;
}
