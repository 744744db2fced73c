/* dues.h - a heap of times at which somebody or some lane is to be looked at. Pure. */
#ifndef BROKER_DUES_H
#define BROKER_DUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due {
	int64_t at;   /* campaign ms */
	uint64_t seq; /* set by dues_push: equal times come out in the order they went in */
	bool is_lane;
	size_t key_len;
	char key[80]; /* the lane's name, or the waiter's key */
};

struct dues {
	struct due *heap; /* owned; all zero is an empty one */
	size_t n, cap;
	uint64_t seq;
};

void dues_push(struct dues *d, const struct due *item);
struct due dues_pop(struct dues *d);      /* the earliest; CHECKs that there is one */
int64_t dues_first(const struct dues *d); /* its time, INT64_MAX when empty */
void dues_done(struct dues *d);

#endif
