/* cmd_pause.c - queue pause and resume: nothing is handed out until somebody says so. What is in hand goes on,
 * records come in, opening by name stays possible. Who and why are shown by queue ls and why PERSON. */
#include <stdio.h>

#include "ctl/say.h"

static int
pause_or_resume(struct ctl *c, bool open, const char *verb, int argc, char **argv, struct err *err)
{
	const char *reason = opt_take(&argc, argv, "--reason", true);
	struct record_header h = {.kind = REC_PAUSE};

	if (argc != 0 || (!open && reason == NULL))
		return ctl_usage(err, verbs_pause, "queue", verb);
	if (say_reason(&h, reason, "resume", err) != 0)
		return -1;
	field_set_u(&h, F_open, open);
	if (say_one(c, &h, err) != 0)
		return -1;
	if (c->json)
		printf("{\"paused\":%s}\n", open ? "false" : "true");
	else
		printf(open ? "已恢复发放\n" : "已暂停发放, 恢复用 hfctl queue resume\n");
	return 0;
}

static int
queue_pause(struct ctl *c, int argc, char **argv, struct err *err)
{
	return pause_or_resume(c, false, "pause", argc, argv, err);
}

static int
queue_resume(struct ctl *c, int argc, char **argv, struct err *err)
{
	return pause_or_resume(c, true, "resume", argc, argv, err);
}

const struct verb verbs_pause[] = {
    {"queue", "pause", queue_pause, "--reason TEXT", "暂停发放个案, 记下谁和为什么"},
    {"queue", "resume", queue_resume, "[--reason TEXT]", "恢复发放"},
    {NULL, NULL, NULL, NULL, NULL},
};
