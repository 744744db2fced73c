/* bits.c - words and bits. No failures but a word that is not known. */
#include "workers/caller/bits.h"

#include <string.h>

const char *const bits_ticks[] = {"cost", "one-school", "consequences", NULL};
const char *const bits_done[] = {
    "paid", "dormitory", "bus", "group", "notice", "special-master", NULL};

bool
bits_take(const json_t *list, const char *const *names, uint64_t *ret)
{
	const json_t *one;
	size_t i;

	*ret = 0;
	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, one)
	{
		unsigned n = 0;

		while (names[n] != NULL &&
		       (!json_is_string(one) || strcmp(json_string_value(one), names[n]) != 0))
			n++;
		if (names[n] == NULL)
			return false;
		*ret |= 1ULL << n;
	}
	return true;
}

json_t *
bits_words(uint64_t bits, const char *const *names)
{
	json_t *list = json_array();

	for (unsigned n = 0; names[n] != NULL; n++)
		if ((bits >> n & 1) != 0)
			(void)json_array_append_new(list, json_string(names[n]));
	return list;
}
