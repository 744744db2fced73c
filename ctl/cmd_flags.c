/* cmd_flags.c - spotcheck flags, explain: what in callers' own figures should be looked at, and what they say of it.
 *
 * Happy path: hf-reconcile finds the flags (calls that overlap, notes that repeat …); the person of a flagged record
 * explains it with a sealed note that names the record, before supervision judges. Failures: a number that is no call,
 * somebody else's record. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/say.h"
#include "ctl/spot_ledger.h"

static int
spotcheck_flags(struct ctl *c, int argc, char **argv, struct err *err)
{
	return ctl_become(c, "flags", argc, argv, err);
}

static int
spotcheck_explain(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *note = opt_take(&argc, argv, "--note", true);
	struct record_header h = {.kind = REC_NOTE};
	struct spot_row row;
	uint8_t case_id[16];
	name_t me;

	if (argc != 1 || note == NULL)
		return ctl_usage(err, verbs_flags, "spotcheck", "explain");
	if (spot_find(c, argv[0], &row, err) != 0 || say_actor(c, me, err) != 0)
		return -1;
	if (strcmp(me, row.person) != 0)
		return err_set(err, ERR_DENIED, "说明要由记录的本人写, 用 --as 说是谁");
	if (hex_decode(case_id, 16, row.case_hex, strlen(row.case_hex)))
		say_case(&h, case_id);
	field_set_b(&h, F_ref_ob, row.ob, 16);
	field_set_u(&h, F_ref_seq, row.seq);
	field_set_s(&h, F_what, "explain");
	if (say_noted(c, &h, note, err) != 0)
		return -1;
	printf("已记下\n");
	return 0;
}

const struct verb verbs_flags[] = {
    {"spotcheck", "flags", spotcheck_flags, "[--person P] [--day DAY]",
        "自报的通话里要看一看的: 重叠, 超时, 秒确认, 备注雷同, 不在时间, 事后录入"},
    {"spotcheck", "explain", spotcheck_explain, "NO --note TEXT", "对自己的一条说明情况, 先于督查"},
    {NULL, NULL, NULL, NULL, NULL},
};
