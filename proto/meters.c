/* meters.c - reads counts at their fixed places. A memory of another version shows nothing; nothing here judges. */
#include "proto/meters.h"

#include <string.h>

#include "proto/codec.h"

#define BLOB_VERSION 1
#define FIXED_LEN    72
#define AT_ATTEMPTS  11
#define AT_CONTACTS  13
#define AT_SECONDS   15
#define AT_FLAGS     28 /* the low byte */
#define FLAG_ASKED   2
#define AT_SINCE     48
#define AT_DEADLINE  52

static uint64_t
u16_at(const uint8_t *p)
{
	return (uint64_t)p[0] << 8 | p[1];
}

static uint64_t
ms_at(const uint8_t *p)
{
	uint32_t s = be32_get(p);

	return s == UINT32_MAX ? 0 : (uint64_t)s * 1000;
}

bool
meters_read(struct meters *ret, struct span blob)
{
	const uint8_t *p = blob.data;

	memset(ret, 0, sizeof(*ret));
	if (blob.len < FIXED_LEN || p[0] != BLOB_VERSION)
		return false;
	ret->attempts = u16_at(p + AT_ATTEMPTS);
	ret->contacts = u16_at(p + AT_CONTACTS);
	ret->seconds = be32_get(p + AT_SECONDS);
	ret->since = ms_at(p + AT_SINCE);
	ret->deadline = ms_at(p + AT_DEADLINE);
	ret->asked = (p[AT_FLAGS] & FLAG_ASKED) != 0;
	return true;
}
