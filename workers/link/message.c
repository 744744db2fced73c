/* message.c - a text with places in it. hf-router --check-policy has refused any other word in braces. */
#include "workers/link/message.h"

#include <string.h>

static const char *const places[] = {"{姓名}", "{批次}", "{专业}"};
#define PLACES_N (sizeof(places) / sizeof(places[0]))

void
message_fill(
    struct buf *out, const char *text, struct span name, struct span batch, struct span major)
{
	const struct span values[PLACES_N] = {name, batch, major};

	while (*text != '\0') {
		size_t i = 0;

		while (i < PLACES_N && strncmp(text, places[i], strlen(places[i])) != 0)
			i++;
		if (i == PLACES_N) {
			buf_add(out, text++, 1);
			continue;
		}
		if (values[i].len > 0)
			buf_add(out, values[i].data, values[i].len);
		text += strlen(places[i]);
	}
}
