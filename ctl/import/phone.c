/* Decides which phone numbers a cell holds.
 *
 * Happy path: the cell is split at marks that never stand inside a number (/ 、 ; , | 或). What is
 * left is cut into runs of digits at blanks, dashes and brackets. If all runs together make one
 * number, that is it ("199 0000 0001"); else numbers are put together run by run, shortest first
 * ("19900000001 19900000002"). Runs left over mean that the cell cannot be understood. */
#include "ctl/import/phone.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"

#define RUNS 24

struct run {
	const uint8_t *at;
	size_t len;
	bool plus; /* a '+' stands before it */
};

/* Bytes of the mark at s, 0 if there is none. */
static size_t
mark_at(const char *const *marks, struct span s)
{
	for (; *marks != NULL; marks++) {
		size_t n = strlen(*marks);

		if (s.len >= n && memcmp(s.data, *marks, n) == 0)
			return n;
	}
	return 0;
}

static size_t
splits_at(struct span s)
{
	static const char *const marks[] = {
	    "/", "、", ";", ",", "|", "\\", "或", "，", "；", "。", NULL};

	return mark_at(marks, s);
}

static size_t
spaces_at(struct span s)
{
	static const char *const marks[] = {" ", "-", "(", ")", ".", "‐", "‑", "‒", "–", "—", "―",
	    "−", "ー", "~", "〜", "_", "·", NULL};

	return mark_at(marks, s);
}

static bool
is_mobile(const char *d, size_t n)
{
	return n == 11 && d[0] == '1' && d[1] >= '3';
}

/* 010 and 02x have 8 digits behind them; all other area codes have four digits, then 7 or 8. */
static bool
is_landline(const char *d, size_t n)
{
	if (d[0] != '0')
		return false;
	if (d[1] == '2' || (d[1] == '1' && d[2] == '0'))
		return n == 11;
	return d[1] >= '3' && (n == 11 || n == 12);
}

/* Makes one number of the runs, or says no. */
static bool
join(const struct run *runs, size_t n, struct phone *ret, unsigned *changes)
{
	char all[40];
	char *d = all;
	size_t len = 0;
	unsigned what = n > 1 ? PHONE_SPACING : 0;

	for (size_t i = 0; i < n; i++) {
		if (runs[i].len > sizeof(all) - 1 - len || (i > 0 && runs[i].plus))
			return false;
		memcpy(all + len, runs[i].at, runs[i].len);
		len += runs[i].len;
	}
	all[len] = '\0';
	if (len > 4 && memcmp(d, "0086", 4) == 0) {
		d += 4;
		what |= PHONE_COUNTRY;
	} else if (len > 2 && memcmp(d, "86", 2) == 0 && (runs[0].plus || len == 13)) {
		d += 2;
		what |= PHONE_COUNTRY;
	} else if (runs[0].plus) {
		return false;
	}
	if (d[0] == '0' && is_mobile(d + 1, strlen(d + 1))) {
		d++;
		what |= PHONE_TRUNK;
	}
	len = strlen(d);
	if (!is_mobile(d, len) && !is_landline(d, len))
		return false;
	memcpy(ret->digits, d, len + 1);
	*changes |= what;
	return true;
}

static enum phone_verdict
add(struct phone_list *list, const struct run *runs, size_t n)
{
	struct phone phone;
	size_t from = 0;

	if (join(runs, n, &phone, &list->changes)) {
		if (list->n == PHONE_MAX)
			return PHONE_MANY;
		list->phones[list->n++] = phone;
		return PHONE_OK;
	}
	for (size_t to = 1; to <= n; to++) {
		if (!join(runs + from, to - from, &phone, &list->changes))
			continue;
		if (list->n == PHONE_MAX)
			return PHONE_MANY;
		list->phones[list->n++] = phone;
		from = to;
	}
	if (from == n)
		return PHONE_OK;
	if (n == 1 && (runs[0].len == 7 || runs[0].len == 8) && runs[0].at[0] >= '2')
		return PHONE_AREA;
	return PHONE_LENGTH;
}

/* Reads the runs of one part, up to the next splitting mark; *at stands behind it afterwards. */
static enum phone_verdict
read_part(struct span text, size_t *at, struct run *runs, size_t *ret_n, unsigned *changes)
{
	bool inside = false, plus = false;
	size_t n = 0;

	while (*at < text.len) {
		struct span rest = span_of(text.data + *at, text.len - *at);
		size_t skip;

		if (rest.data[0] >= '0' && rest.data[0] <= '9') {
			if (!inside) {
				if (n == RUNS)
					return PHONE_MANY;
				runs[n++] = (struct run){rest.data, 0, plus};
				inside = true;
				plus = false;
			}
			runs[n - 1].len++;
			(*at)++;
		} else if (rest.data[0] == '+' && !plus) {
			inside = false;
			plus = true;
			(*at)++;
		} else if ((skip = spaces_at(rest)) > 0) {
			inside = false;
			*changes |= PHONE_SPACING;
			*at += skip;
		} else if ((skip = splits_at(rest)) > 0) {
			*at += skip;
			break;
		} else {
			return PHONE_CHAR;
		}
	}
	*ret_n = n;
	return plus ? PHONE_CHAR : PHONE_OK;
}

enum phone_verdict
phone_parse(struct span text, struct phone_list *ret)
{
	size_t at = 0;

	memset(ret, 0, sizeof(*ret));
	while (at < text.len) {
		struct run runs[RUNS];
		enum phone_verdict verdict;
		size_t n;

		verdict = read_part(text, &at, runs, &n, &ret->changes);
		if (verdict == PHONE_OK && n > 0)
			verdict = add(ret, runs, n);
		if (verdict != PHONE_OK)
			return verdict;
	}
	if (text.len > 0 && ret->n == 0)
		return PHONE_CHAR;
	if (ret->n > 1)
		ret->changes |= PHONE_SPLIT;
	return PHONE_OK;
}
