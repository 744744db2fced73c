/* day.h - a calendar day, and the ages that rules ask for. */
#ifndef CTL_IMPORT_DAY_H
#define CTL_IMPORT_DAY_H

#include <stdbool.h>

#include "base/buf.h"

struct day {
	int year, month, day; /* 2026, 1-12, 1-31 */
};

bool day_exists(struct day d); /* in the years 1900-2199 */
int day_compare(struct day a, struct day b);
int day_age(struct day birth, struct day today); /* full years; negative if unborn */
struct day day_plus(struct day d, int days);     /* CHECKs that the result exists */
struct day day_today(void);                      /* Asia/Shanghai */
/* 2026-10-01, 2026/10/1, 2026.10.1, 20261001, 2026年10月1日. */
bool day_parse(struct span text, struct day *ret);

#endif
