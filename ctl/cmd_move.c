/* cmd_move.c - case move, reopen, free: a person decides where a case goes on.
 *
 * Happy path: a look at the case first, one record, then where it lies now. Failures: a person who is not
 * there or not active, a case that is not where the verb works from: refused before anything is stored.
 * Credit moves when a second person has said yes (hfctl approve); until then only the work has moved. */
#include <stdio.h>
#include <string.h>

#include "ctl/say.h"
#include "ctl/show.h"

/* The lane of a case, for a verb that works from some lanes only. */
static int
lane_of(struct ctl *c, const uint8_t id[16], char lane[80], bool *held, struct err *err)
{
	struct buf text = BUF_INIT;
	struct case_state s;
	int got = show_state(c, id, &text, &s, err);

	if (got == 0) {
		(void)snprintf(lane, 80, "%s", s.lane);
		*held = s.held;
	}
	buf_done(&text);
	return got;
}

static int
case_move(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *to = opt_take(&argc, argv, "--to", true),
	           *reason = opt_take(&argc, argv, "--reason", true);
	bool credit = opt_take(&argc, argv, "--credit", false) != NULL, held;
	struct record_header h = {.kind = REC_HANDOVER};
	struct say_person p;
	char lane[80], done[160];
	uint8_t id[16];

	if (argc != 1 || to == NULL)
		return ctl_usage(err, verbs_move, "case", "move");
	if (show_resolve(c, argv[0], id, err) != 0 || say_reason(&h, reason, "moved", err) != 0 ||
	    say_person(c, to, &p, err) != 0 || lane_of(c, id, lane, &held, err) != 0)
		return -1;
	if (!p.active || !p.qualified || p.team[0] == '\0')
		return err_set(
		    err, ERR_INVALID, "%s 已停用, 或没有合格并编入小组, 不能接个案", p.person);
	if (strcmp(lane, "terminal") == 0 || strcmp(lane, "supervision") == 0)
		return err_set(err, ERR_INVALID, "个案在 %s, 不能换人 (先 case reopen 或等裁定)",
		    show_lane(done, lane));
	say_case(&h, id);
	field_set_s(&h, F_to, p.person);
	if (credit)
		field_set_u(&h, F_credit, 1);
	if (say_one(c, &h, err) != 0)
		return -1;
	if (credit)
		fprintf(stderr, "归属要另一个人同意才转: hfctl approve list, hfctl approve give\n");
	(void)snprintf(
	    done, sizeof(done), "已交给 %s%s", p.person, credit ? ", 归属待第二人" : ", 归属不变");
	return say_where(c, id, done, err);
}

static int
open_again(struct ctl *c, const char *no, const char *reason, const char *done, struct err *err,
    bool (*fits)(const char *lane), const char *refusal)
{
	struct record_header h = {.kind = REC_REOPEN};
	uint8_t id[16];
	char lane[80], text[128];
	bool held;

	if (show_resolve(c, no, id, err) != 0 || say_reason(&h, reason, NULL, err) != 0 ||
	    lane_of(c, id, lane, &held, err) != 0)
		return -1;
	if (held || !fits(lane))
		return err_set(err, ERR_INVALID, "%s, 这个在 %s", refusal,
		    held ? "有人手上" : show_lane(text, lane));
	say_case(&h, id);
	if (say_one(c, &h, err) != 0)
		return -1;
	if (lane_of(c, id, text, &held, err) != 0)
		return -1;
	if (!held && strcmp(lane, text) == 0) {
		(void)say_where(c, id, "没有打开", err);
		fprintf(stderr, "已退档的个案不能重开\n");
		return EXIT_FOUND;
	}
	return say_where(c, id, done, err);
}

static bool
is_over(const char *lane)
{
	return strcmp(lane, "terminal") == 0 || strcmp(lane, "resting") == 0;
}

static bool
is_apart(const char *lane)
{
	return strcmp(lane, "parked") == 0 || strcmp(lane, "doubt") == 0;
}

static int
case_reopen(struct ctl *c, int argc, char **argv, struct err *err)
{
	const char *reason = opt_take(&argc, argv, "--reason", true);

	if (argc != 1)
		return ctl_usage(err, verbs_move, "case", "reopen");
	if (reason != NULL && strcmp(reason, "free") == 0)
		return err_set(err, ERR_INVALID, "搁置的个案用 hfctl case free 放回");
	return open_again(c, argv[0], reason == NULL ? "reopened" : reason, "已重新打开", err,
	    is_over, "只有已办结或休眠的个案能重开");
}

static int
case_free(struct ctl *c, int argc, char **argv, struct err *err)
{
	if (argc != 1)
		return ctl_usage(err, verbs_move, "case", "free");
	return open_again(
	    c, argv[0], "free", "已放回", err, is_apart, "只有搁置或存疑的个案要放回");
}

const struct verb verbs_move[] = {
    {"case", "move", case_move, "NO --to PERSON [--credit] [--reason TEXT]",
        "换人办; --credit 连归属一起, 要第二人同意"},
    {"case", "reopen", case_reopen, "NO [--reason TEXT]", "重开已办结或休眠的个案(已退档的除外)"},
    {"case", "free", case_free, "NO", "把搁置或存疑的个案放回"},
    {NULL, NULL, NULL, NULL, NULL},
};
