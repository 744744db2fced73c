/* seats.c - browsers that are logged in: their cookies, their CSRF tokens, and when they are over.
 *
 * A cookie is 32 random bytes of which only the hash is kept, compared in constant time. A seat ends
 * by logging out, after lock_us without a request that a person made, or when the login's half day is over; with the
 * last seat of a person gone for lock_us, or at once after a logout, the case in hand goes back. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "workers/caller/office_int.h"

static void
new_token(char out[TOKEN_TEXT])
{
	uint8_t bytes[TOKEN_BYTES];

	crypt_random(bytes, sizeof(bytes));
	hex_encode(out, bytes, sizeof(bytes));
	crypt_wipe(bytes, sizeof(bytes));
}

static void
hash_of(uint8_t out[HASH_LEN], const char *cookie)
{
	struct span parts[] = {span_str("hf-seat"), span_str(cookie)};

	crypt_hash(out, parts, 2);
}

static struct seat *
oldest_of(const struct room *r, size_t *ret_n)
{
	struct seat *s, *oldest = NULL;

	*ret_n = 0;
	TAILQ_FOREACH(s, &r->office->seats, link)
	{
		if (s->room != r)
			continue;
		if (oldest == NULL)
			oldest = s;
		(*ret_n)++;
	}
	return oldest;
}

struct seat *
seat_new(struct room *r, char cookie[TOKEN_TEXT])
{
	struct seat *s = xcalloc(1, sizeof(*s)), *oldest;
	size_t n;

	oldest = oldest_of(r, &n);
	if (n >= SEATS_MAX)
		seat_end(oldest);
	s->room = r;
	new_token(cookie);
	new_token(s->csrf);
	hash_of(s->hash, cookie);
	s->born_us = s->asked_us = clock_boot_us();
	r->left_us = 0;
	TAILQ_INSERT_TAIL(&r->office->seats, s, link);
	return s;
}

struct seat *
seat_of(struct office *o, const struct http_request *req, bool renews)
{
	const char *cookie = http_cookie(req, "hf_session");
	struct seat *s, *found = NULL;
	uint8_t hash[HASH_LEN];

	if (cookie == NULL || strlen(cookie) != TOKEN_TEXT - 1)
		return NULL;
	hash_of(hash, cookie);
	TAILQ_FOREACH(s, &o->seats, link)
	{
		if (crypt_equal(s->hash, hash, sizeof(hash)))
			found = s;
	}
	if (found != NULL && renews)
		found->asked_us = clock_boot_us();
	return found;
}

bool
seat_proves(const struct seat *s, const struct http_request *req)
{
	const char *token = http_header(req, "X-HF-CSRF");

	return token != NULL && strlen(token) == TOKEN_TEXT - 1 &&
	       crypt_equal(token, s->csrf, TOKEN_TEXT - 1);
}

void
seat_end(struct seat *s)
{
	struct room *r = s->room;
	size_t n;

	room_unwatch(r, s);
	TAILQ_REMOVE(&r->office->seats, s, link);
	crypt_wipe(s, sizeof(*s));
	free(s);
	if (oldest_of(r, &n) == NULL)
		r->left_us = clock_boot_us();
}

void
seats_of_room_end(struct room *r)
{
	struct seat *s;
	size_t n;

	while ((s = oldest_of(r, &n)) != NULL)
		seat_end(s);
}

void
seats_tick(struct office *o, int64_t now)
{
	struct seat *s, *next;
	struct room *r;

	for (s = TAILQ_FIRST(&o->seats); s != NULL; s = next) {
		next = TAILQ_NEXT(s, link);
		if (now - s->asked_us >= o->o.lock_us || now - s->born_us >= LOGIN_MAX_MS * 1000)
			seat_end(s);
	}
	TAILQ_FOREACH(r, &o->rooms, link)
	{
		if (r->is_in && r->leaving_us == 0 && r->left_us != 0 &&
		    now - r->left_us >= o->o.lock_us)
			room_leave(r, "idle");
	}
}
