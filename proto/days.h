/* days.h - days that differ from the week, as a POLICY record with what = "days" carries them (PROTOCOL.md
 * 14.7) and as the router keeps them: `day | 2026-04-06 | holiday | 清明`, one a line, as in a policy file. */
#ifndef PROTO_DAYS_H
#define PROTO_DAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define DAYS_MAX   400
#define DAYS_LABEL 48
#define DAYS_DATE  24

/* ORDINARY takes a day out again: it is what the policy and the week say. */
enum day_kind { DAY_ORDINARY, DAY_HOLIDAY, DAY_WORKDAY, DAY_CALLING, DAY_KINDS };

struct day {
	int32_t day; /* since 1970-01-01 */
	enum day_kind kind;
	char label[DAYS_LABEL]; /* UTF-8, no bar, no control character; "" none */
};
struct days {
	uint32_t n;
	struct day at[DAYS_MAX]; /* rising */
};

enum days_put { DAYS_SAME, DAYS_CHANGED, DAYS_FULL };
/* keep: an ORDINARY day is kept as a row (what a record says), else it removes one (what the router
 * keeps). */
enum days_put days_put(struct days *d, const struct day *day, bool keep);
const struct day *days_find(const struct days *d, int32_t day); /* NULL: an ordinary one */

void days_print(struct buf *out, const struct days *d);
/* -1 ERR_INVALID with the line; *ret untouched. ORDINARY rows are kept. */
int days_parse(struct days *ret, struct span text, struct err *err);

const char *day_kind_name(enum day_kind k);            /* "holiday" */
enum day_kind day_kind_by_name(const char *name);      /* DAY_KINDS: none of that name */
bool days_date(struct span text, int32_t *ret);        /* 2026-04-06, 2026/4/6 or 20260406 */
void days_date_text(char out[DAYS_DATE], int32_t day); /* 2026-04-06 */
/* Copies what may stand in a label: at most 47 bytes, whole characters. */
void days_label(char out[DAYS_LABEL], struct span text);

#endif
