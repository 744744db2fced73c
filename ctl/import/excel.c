/* Decides whether a number that went through a spreadsheet is still the number that was typed.
 * Works on the decimal text alone: no float touches an id. */

#include "ctl/import/excel.h"

#include <stdint.h>
#include <string.h>

static bool
is_digit(struct span s, size_t at)
{
	return at < s.len && s.data[at] >= '0' && s.data[at] <= '9';
}

/* The parts of [-]D[.D][E[+-]D]. digits: without the point and without leading zeros, at most 40. */
struct number {
	bool negative;
	char digits[40];
	size_t n;
	int64_t scale; /* value = digits * 10^scale */
	bool has_exponent;
};

static bool
read_exponent(struct span s, size_t *at, struct number *ret)
{
	bool negative = false;
	int64_t value = 0;

	if (*at >= s.len || (s.data[*at] != 'e' && s.data[*at] != 'E'))
		return true;
	(*at)++;
	ret->has_exponent = true;
	if (*at < s.len && (s.data[*at] == '+' || s.data[*at] == '-'))
		negative = s.data[(*at)++] == '-';
	if (!is_digit(s, *at))
		return false;
	for (; is_digit(s, *at); (*at)++)
		if (value < 100000)
			value = value * 10 + (s.data[*at] - '0');
	ret->scale += negative ? -value : value;
	return true;
}

static bool
read_number(struct span s, struct number *ret)
{
	size_t at = 0;
	bool point = false;

	memset(ret, 0, sizeof(*ret));
	if (s.len > 0 && (s.data[0] == '-' || s.data[0] == '+'))
		ret->negative = s.data[at++] == '-';
	if (!is_digit(s, at))
		return false;
	for (; is_digit(s, at) || (at < s.len && s.data[at] == '.' && !point); at++) {
		if (s.data[at] == '.') {
			point = true;
			continue;
		}
		if (ret->n == 0 && s.data[at] == '0') {
			ret->scale -= point;
			continue;
		}
		if (ret->n == sizeof(ret->digits))
			return false;
		ret->digits[ret->n++] = (char)s.data[at];
		ret->scale -= point;
	}
	return read_exponent(s, &at, ret) && at == s.len;
}

bool
excel_is_scientific(struct span text)
{
	struct number no;

	if (memchr(text.data, 'E', text.len) == NULL && memchr(text.data, 'e', text.len) == NULL)
		return false;
	return read_number(text, &no) && no.has_exponent;
}

enum excel_number
excel_number(struct span text, char out[EXCEL_DIGITS + 1])
{
	struct number no;

	if (!read_number(text, &no) || no.negative)
		return EXCEL_FRACTION;
	while (no.n > 0 && no.digits[no.n - 1] == '0') {
		no.n--;
		no.scale++;
	}
	if (no.n == 0) {
		memcpy(out, "0", 2);
		return EXCEL_INTEGER;
	}
	if (no.n > EXCEL_DIGITS || (int64_t)no.n + no.scale > EXCEL_DIGITS)
		return EXCEL_LOST;
	if (no.scale < 0)
		return EXCEL_FRACTION;
	memcpy(out, no.digits, no.n);
	memset(out + no.n, '0', (size_t)no.scale);
	out[no.n + (size_t)no.scale] = '\0';
	return EXCEL_INTEGER;
}

bool
excel_drop_zero_fraction(struct span *text)
{
	size_t n = text->len;

	while (n > 0 && text->data[n - 1] == '0')
		n--;
	if (n == text->len || n < 2 || text->data[n - 1] != '.')
		return false;
	for (size_t i = 0; i + 1 < n; i++)
		if (!is_digit(*text, i))
			return false;
	text->len = n - 1;
	return true;
}
