/* uuid.c - UUID version 7: a wall clock hint in front, so that ids sort by age, and 74 random bits
 * behind, so that they never meet. Two ids of one millisecond have no order. */
#include "base/uuid.h"

#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

void
uuid7(uint8_t out[16])
{
	uint64_t ms = (uint64_t)clock_wall_ms();

	CHECK(getrandom(out, 16, 0) == 16);
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)(ms >> (40 - 8 * i));
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x70);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

void
uuid_text(char out[37], const uint8_t id[16])
{
	char hex[33];
	const char *from = hex;

	hex_encode(hex, id, 16);
	for (int i = 0; i < 36; i++)
		out[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : *from++;
	out[36] = '\0';
}

bool
uuid_parse(uint8_t out[16], const char *text)
{
	char hex[32];
	int used = 0;

	if (strnlen(text, 37) != 36)
		return false;
	for (int i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
		} else {
			hex[used++] = text[i];
		}
	}
	return hex_decode(out, 16, hex, sizeof(hex));
}
