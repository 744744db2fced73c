/* correction.c - calling days as the policy, the week and the imported days say, and the misses of a correction.
 *
 * Happy path: the days of the policy in force, those that were imported over them; 18:00 of the next calling days is
 * counted. Failures: no store; a calendar without any calling day for a year has no due time (0). */
#include "ctl/correction.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/policy.h"

#define DUE_MINUTES (18 * 60)
#define DAY_MS      86400000LL
#define FAR         366
#define MISSES_MOST 99

static const char *const week_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static int
weekday(const char *word)
{
	for (int i = 0; i < 7; i++)
		if (strncmp(word, week_names[i], 3) == 0)
			return i;
	return -1;
}

/* "mon-fri, sun" */
static void
read_week(bool week[7], char *text)
{
	char *save = NULL;

	memset(week, 0, 7 * sizeof(bool));
	for (char *w = strtok_r(text, " ,", &save); w != NULL; w = strtok_r(NULL, " ,", &save)) {
		int from = weekday(w), until = strlen(w) > 4 ? weekday(w + 4) : from;

		for (int i = from; from >= 0 && until >= 0; i = (i + 1) % 7) {
			week[i] = true;
			if (i == until)
				break;
		}
	}
}

/* Rows `days | calling | mon-sun` and `day | 2026-04-06 | holiday`. */
static void
read_policy(struct calling_days *d, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		struct days one;
		char *value;

		if (strncmp(line, "days", 4) == 0 && strstr(line, "calling") != NULL) {
			value = strchr(strstr(line, "calling"), '|');
			if (value != NULL) {
				value[1 + strcspn(value + 1, "|")] = '\0';
				read_week(d->week, value + 1);
			}
		} else if (strncmp(line, "day ", 4) == 0 &&
		           days_parse(&one, span_str(line), NULL) == 0 && one.n == 1) {
			(void)days_put(&d->policy, &one.at[0], false);
		}
	}
}

int
calling_days_load(struct ctl *c, struct calling_days *ret, struct err *err)
{
	char key[96];
	const struct rds_reply *r;
	struct span argv[3] = {span_str("HGET"), {NULL, 0}, span_str("days")};
	struct buf text = BUF_INIT;
	int got;

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < 7; i++)
		ret->week[i] = true;
	if (policy_text(c, &text, err) != 0)
		return -1;
	if (text.len > 0) {
		buf_addc(&text, '\0');
		read_policy(ret, (char *)text.data);
	}
	buf_done(&text);
	argv[1] = span_str(call_key(key, sizeof(key), c->campaign, "router"));
	if (ctl_cmd(c, argv, 3, &r, err) != 0)
		return -1;
	got = days_parse(&ret->imported, rds_str(r), err);
	rds_sync_free(r);
	return got != 0 ? err_wrap(err, "the router's days") : 0;
}

static bool
is_calling(const struct calling_days *d, int32_t day)
{
	const struct day *x = days_find(&d->imported, day);

	if (x == NULL)
		x = days_find(&d->policy, day);
	if (x != NULL && x->kind != DAY_ORDINARY)
		return x->kind != DAY_HOLIDAY;
	return d->week[(day % 7 + 7 + 3) % 7]; /* 1970-01-01 was a Thursday */
}

static int32_t
next_calling(const struct calling_days *d, int32_t day)
{
	for (int i = 1; i <= FAR; i++)
		if (is_calling(d, day + i))
			return day + i;
	return 0;
}

static int64_t
due_on(int32_t day)
{
	return day * DAY_MS + DUE_MINUTES * 60000LL - 8 * 3600000LL;
}

struct correction
correction_of(const struct calling_days *d, int64_t found, int64_t until)
{
	static const char *const to[] = {"", "own", "leader", "heads"};
	int32_t day = next_calling(d, (int32_t)((found + 8 * 3600000LL) / DAY_MS));
	struct correction x = {.due = day == 0 ? 0 : due_on(day), .misses = 0};

	while (day != 0 && due_on(day) <= until && x.misses < MISSES_MOST) {
		x.misses++;
		day = next_calling(d, day);
	}
	x.to = to[x.misses < 3 ? x.misses : 3];
	return x;
}
