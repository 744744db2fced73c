/* Decides whether an id number can be one. Only the shape, the birth date and the check character
 * are looked at: which region codes exist changes every year and is not ours to know. */
#include "ctl/import/idno.h"

char
idno_check_char(const char digits[17])
{
	static const char chars[] = "10X98765432";
	int sum = 0, weight = 1;

	/* the weight of position i is 2^(17-i) mod 11 */
	for (int i = 16; i >= 0; i--) {
		weight = weight * 2 % 11;
		sum += (digits[i] - '0') * weight;
	}
	return chars[sum % 11];
}

static int
number_at(struct span text, size_t at, size_t n)
{
	int value = 0;

	for (size_t i = at; i < at + n; i++)
		value = value * 10 + (text.data[i] - '0');
	return value;
}

enum idno_verdict
idno_check(struct span text, struct day today, struct day *ret_birth)
{
	size_t digits = 0;
	struct day birth;

	while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
		digits++;
	if (text.len == 15 && digits == 15)
		return IDNO_OLD;
	if (text.len != 18 || digits < 17 || (digits == 17 && text.data[17] != 'X'))
		return IDNO_SHAPE;
	if (idno_check_char((const char *)text.data) != (char)text.data[17])
		return IDNO_CHECK;
	birth = (struct day){number_at(text, 6, 4), number_at(text, 10, 2), number_at(text, 12, 2)};
	if (!day_exists(birth) || day_compare(birth, today) > 0)
		return IDNO_BIRTH;
	*ret_birth = birth;
	return IDNO_OK;
}
