/* dial.c - which mobile numbers are local, by a table of prefixes that the college keeps.
 *
 * Happy path: the file is read at the start; a mobile number (1, then 3 to 9, eleven digits in all) none of whose
 * prefixes is in it gets a 0. All others, 400 numbers and hotlines too, are dialled as they stand. Failures: a line that
 * is no prefix, a file without one. */
#include "workers/caller/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"

#define FILE_MAX   (8 << 20)
#define PREFIX_MIN 3
#define PREFIX_MAX 7
#define MOBILE     11

struct prefix {
	char digits[PREFIX_MAX + 1];
};

static struct prefix *table;
static size_t n_prefixes;

static int
by_digits(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
is_digits(const char *s, size_t len)
{
	return strspn(s, "0123456789") >= len;
}

/* One line without its comment; 0 nothing there, 1 a prefix, -1 something else. */
static int
read_line(struct prefix *ret, const char *line, size_t len)
{
	const char *hash = memchr(line, '#', len);

	len = hash != NULL ? (size_t)(hash - line) : len;
	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
		len--;
	if (len == 0)
		return 0;
	if (len < PREFIX_MIN || len > PREFIX_MAX || !is_digits(line, len))
		return -1;
	(void)snprintf(ret->digits, sizeof(ret->digits), "%.*s", (int)len, line);
	return 1;
}

int
dial_load(const char *path, struct err *err)
{
	struct buf text = BUF_INIT;
	struct prefix *fresh = NULL;
	size_t n = 0, cap = 0, no = 1;
	int got = file_read(&text, path, FILE_MAX, err);

	for (const char *at = (const char *)text.data; got == 0 && at != NULL && *at != '\0';
	     no++) {
		size_t len = strcspn(at, "\n");
		int is;

		if (n == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			fresh = xrealloc(fresh, cap, sizeof(*fresh));
		}
		is = read_line(&fresh[n], at, len);
		if (is < 0)
			got = err_set(err, ERR_INVALID,
			    "%s:%zu: 要 %d 到 %d 位数字的号段, 一行一个, 如 1990000", path, no,
			    PREFIX_MIN, PREFIX_MAX);
		n += is > 0;
		at += len + (at[len] == '\n');
	}
	buf_done(&text);
	if (got == 0 && n == 0)
		got = err_set(err, ERR_INVALID, "%s: 没有一个号段", path);
	if (got != 0) {
		free(fresh);
		return -1;
	}
	qsort(fresh, n, sizeof(*fresh), by_digits);
	dial_forget();
	table = fresh;
	n_prefixes = n;
	return 0;
}

void
dial_forget(void)
{
	free(table);
	table = NULL;
	n_prefixes = 0;
}

static bool
is_local(const char *digits)
{
	struct prefix key;

	for (int len = PREFIX_MIN; len <= PREFIX_MAX; len++) {
		(void)snprintf(key.digits, sizeof(key.digits), "%.*s", len, digits);
		if (bsearch(&key, table, n_prefixes, sizeof(*table), by_digits) != NULL)
			return true;
	}
	return false;
}

char *
dial_string(char out[DIAL_SIZE], struct span digits)
{
	char text[DIAL_SIZE - 1];
	bool is_mobile;

	(void)snprintf(text, sizeof(text), "%.*s", (int)digits.len, (const char *)digits.data);
	is_mobile =
	    strlen(text) == MOBILE && is_digits(text, MOBILE) && text[0] == '1' && text[1] >= '3';
	(void)snprintf(out, DIAL_SIZE, "%s%s",
	    is_mobile && n_prefixes > 0 && !is_local(text) ? "0" : "", text);
	return out;
}
