/* rate.h - registered / admitted, in integers only (domain.md a.11, Q5, Q9). Nothing is rounded
 * before a comparison; what is shown is cut, never rounded. */
#ifndef RECONCILIATION_RATE_H
#define RECONCILIATION_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate {
	int64_t registered, admitted; /* 0 <= registered <= admitted < 2^40 */
};

/* An undefined rate (nobody admitted) reaches nothing. */
bool rate_defined(struct rate r);
bool rate_reaches(struct rate r, int64_t percent); /* registered * 100 >= percent * admitted */
/* floor(1000 * registered / admitted); 0 when undefined. */
int64_t rate_permille(struct rate r);
/* How many more registered until `percent` is reached; 0 when it is. */
int64_t rate_missing(struct rate r, int64_t percent);
/* N4, Q9: out[i] is set for every defined rate at or below the third-lowest, ties included; none when fewer than four are
 * defined, since then everybody would be. Counts below 2^31. For a person to rule on, never applied by itself. */
void rate_last_three(const struct rate *rates, size_t n, bool *out);
/* "93.103" cut to three places; "" when undefined. out >= 24. Returns out. */
char *rate_text(char *out, struct rate r);

#endif
