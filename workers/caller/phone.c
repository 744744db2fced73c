/* phone.c - a photo from a telephone that is not logged in: one link, one case, one photo.
 *
 * Happy path: the screen asks for a ticket and shows its link as a QR code; the telephone opens it, takes the photo and
 * sends it, and the case has it as if it had come from the screen. A ticket is 16 random bytes of which only the hash
 * is kept, ends after ten minutes, with the first photo that was stored, or when its person is logged out. Failures: an
 * unknown, used or ended ticket is one answer (410) that says nothing else; a fifth ticket of a person ends the oldest. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/text.h"
#include "workers/caller/entry.h"
#include "workers/caller/office_int.h"

#define TICKET_BYTES 16
#define TICKET_TEXT  (2 * TICKET_BYTES + 1)
#define TICKET_US    (600 * SECOND_US)
#define TICKETS_MAX  5 /* of one person */
#define TRIES_A_SEC  50
#define PAGE_MAX     ((size_t)64 << 10)

struct ticket {
	TAILQ_ENTRY(ticket) link;
	struct room *room;
	uint8_t hash[HASH_LEN], case_id[16];
	int64_t until_us;
};

static void
hash_of(uint8_t out[HASH_LEN], const char *token)
{
	struct span parts[] = {span_str("hf-phone"), span_str(token)};

	crypt_hash(out, parts, 2);
}

static void
end_ticket(struct office *o, struct ticket *t)
{
	TAILQ_REMOVE(&o->tickets, t, link);
	crypt_wipe(t, sizeof(*t));
	free(t);
}

void
phone_tick(struct office *o, int64_t now)
{
	struct ticket *t, *next;

	for (t = TAILQ_FIRST(&o->tickets); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (now >= t->until_us || !t->room->is_in)
			end_ticket(o, t);
	}
}

void
phone_close(struct office *o)
{
	struct ticket *t, *next;

	for (t = TAILQ_FIRST(&o->tickets); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		end_ticket(o, t);
	}
}

/* The oldest of this person makes room. */
static void
make_room(struct room *r)
{
	struct ticket *t, *oldest = NULL;
	size_t n = 0;

	TAILQ_FOREACH(t, &r->office->tickets, link)
	{
		if (t->room != r)
			continue;
		if (oldest == NULL)
			oldest = t;
		n++;
	}
	if (n >= TICKETS_MAX)
		end_ticket(r->office, oldest);
}

void
phone_ticket(struct room *r, const struct http_request *req, struct http_response *res)
{
	json_t *body =
	    json_loadb((const char *)req->body.data, req->body.len, JSON_REJECT_DUPLICATES, NULL);
	uint8_t bytes[TICKET_BYTES], case_id[16];
	struct refusal why;
	char token[TICKET_TEXT], path[TICKET_TEXT + sizeof(OFFICE_PHONE)];
	struct ticket *t;

	if (!json_is_object(body) || !entry_case(body, case_id, &why)) {
		pages_error(res, 400, "bad-field", "要有名单 case");
	} else {
		make_room(r);
		crypt_random(bytes, sizeof(bytes));
		hex_encode(token, bytes, sizeof(bytes));
		t = xcalloc(1, sizeof(*t));
		t->room = r;
		hash_of(t->hash, token);
		memcpy(t->case_id, case_id, 16);
		t->until_us = clock_boot_us() + TICKET_US;
		TAILQ_INSERT_TAIL(&r->office->tickets, t, link);
		(void)snprintf(path, sizeof(path), "%s%s", OFFICE_PHONE, token);
		pages_json(res, 200,
		    json_pack(
		        "{s:s,s:I}", "path", path, "seconds", (json_int_t)(TICKET_US / SECOND_US)));
		crypt_wipe(token, sizeof(token));
		crypt_wipe(path, sizeof(path));
		crypt_wipe(bytes, sizeof(bytes));
	}
	json_decref(body);
}

/* ---- the telephone's side ------------------------------------------------------------------------ */

static struct ticket *
ticket_of(struct office *o, const char *token)
{
	struct ticket *t, *found = NULL;
	int64_t now = clock_boot_us();
	uint8_t hash[HASH_LEN];

	if (strlen(token) != TICKET_TEXT - 1)
		return NULL;
	hash_of(hash, token);
	TAILQ_FOREACH(t, &o->tickets, link)
	{
		if (crypt_equal(t->hash, hash, sizeof(hash)) && now < t->until_us && t->room->is_in)
			found = t;
	}
	return found;
}

static bool
is_rush(struct office *o)
{
	int64_t now = clock_boot_us();

	if (now - o->phone_second_us >= SECOND_US) {
		o->phone_second_us = now;
		o->phone_tries = 0;
	}
	return ++o->phone_tries > TRIES_A_SEC;
}

int
phone_admit(struct office *o, const struct http_request *req)
{
	if (is_rush(o))
		return 429;
	return ticket_of(o, req->path + strlen(OFFICE_PHOTO)) != NULL ? 0 : 410;
}

static const char over[] =
    "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>照片</title>"
    "<h1>这个链接已经用过, 或者过期了</h1><p>请在电脑上重新点“手机传照片”, 再扫一次。</p></html>\n";

void
phone_page(struct office *o, const struct http_request *req, struct http_response *res)
{
	char file[4096];

	res->type = "text/html; charset=utf-8";
	http_set_header(res, "Cache-Control", "no-store");
	if (is_rush(o)) {
		res->status = 429;
	} else if (ticket_of(o, req->path + strlen(OFFICE_PHONE)) == NULL) {
		res->status = 410;
		buf_adds(&res->body, over);
	} else if (file_share(file, sizeof(file), "office/phone.html", NULL) == 0 &&
	           file_read(&res->body, file, PAGE_MAX, NULL) == 0) {
		res->status = 200;
	} else {
		res->status = 404;
	}
}

void
phone_photo(struct office *o, const struct http_request *req, struct http_response *res)
{
	struct ticket *t = ticket_of(o, req->path + strlen(OFFICE_PHOTO));

	if (t == NULL)
		pages_error(res, 410, "used", "这个链接已经用过, 或者过期了; 请在电脑上再点一次");
	else if (desk_evidence(t->room->desk, t->case_id, req->body, http_later(req)))
		end_ticket(o, t);
}
