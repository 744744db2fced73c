/* office_int.h - shared by office.c (life), room.c (one person), seats.c (who is logged in),
 * door.c (login), pages.c (HTTP), views.c (lists, campaign), reports.c (figures), phone.c (photos
 * from telephones), resets.c (new PINs), imports.c (rosters), draws.c (spot checks) and rules.c (the policy's words).
 *
 * A *room* is one person's agent at work; a *seat* is one browser that is logged in as that person; a
 * *watcher* is one event stream of a seat. */
#ifndef CALLER_OFFICE_INT_H
#define CALLER_OFFICE_INT_H

#include <sys/queue.h>

#include "base/http.h"
#include "base/zsock.h"
#include "workers/caller/desk.h"
#include "workers/caller/office.h"
#include "workers/caller/pins.h"
#include "workers/caller/rules.h"

#define SECOND_US       1000000LL
#define OFFICE_EVIDENCE "/api/evidence" /* it and what is below have a body of up to 10 MiB */
#define OFFICE_PHOTO    "/api/evidence/"
#define OFFICE_IMPORT   "/api/import" /* the same */
#define OFFICE_PHONE    "/u/"
#define OFFICE_LIST     "/api/list/"
#define OFFICE_REPORT   "/api/report/"
#define WATCHERS_MAX    8 /* of one person */
#define SEATS_MAX       8 /* of one person */
#define TRIES           5 /* wrong PINs of one person in TRIES_US */
#define TRIES_US        (300 * SECOND_US)
#define STRANGERS       256
#define TOKEN_BYTES     32
#define TOKEN_TEXT      (2 * TOKEN_BYTES + 1)

struct tries {
	int64_t at[TRIES]; /* a ring of the newest */
	size_t n;
};

struct watcher {
	TAILQ_ENTRY(watcher) link;
	struct room *room;
	struct seat *seat;
	struct http_stream *stream;
};
TAILQ_HEAD(watchers, watcher);

struct seat {
	TAILQ_ENTRY(seat) link;
	struct room *room;
	uint8_t hash[32]; /* of the cookie */
	char csrf[TOKEN_TEXT];
	int64_t born_us, asked_us;
};
TAILQ_HEAD(seats, seat);

/* Somebody whose PIN was right, and who waits for the broker's word. */
struct arrival {
	TAILQ_ENTRY(arrival) link;
	struct http_later *later;
	int64_t since_us;
};
TAILQ_HEAD(arrivals, arrival);

/* A question for a list: one page of it, or page after page. */
struct view_ask {
	TAILQ_ENTRY(view_ask) link;
	struct http_later *later;
	uint64_t look_no;
	bool whole, campaign;
	json_t *rows; /* owned; of the pages so far */
};
TAILQ_HEAD(view_asks, view_ask);

struct room {
	TAILQ_ENTRY(room) link;
	struct office *office;
	name_t person;
	struct identity id;
	struct outbox *outbox;
	struct outbox_report report; /* told to every new stream */
	struct client *client;
	struct desk *desk;
	struct watchers watchers;
	struct arrivals arrivals;
	struct view_asks view_asks;
	struct tries tries;
	uint64_t event_no;
	struct loop_timer *soon; /* status, after the turn */
	struct buf status;       /* as it was said last */
	bool is_in;              /* logged in: the key is here */
	bool is_offline;         /* no broker answers */
	bool is_known, may_act;  /* the broker's word on the person */
	uint64_t roles;
	name_t team;
	int64_t left_us;    /* when the last seat ended; 0: somebody is here, or nobody ever was */
	int64_t leaving_us; /* when everything in hand was given back; 0 */
};
TAILQ_HEAD(rooms, room);
TAILQ_HEAD(tickets, ticket); /* phone.c's */

struct office {
	struct office_opts o;
	struct zctx *z;
	struct http *http;
	struct pins *pins;
	struct reports *reports;
	struct reset *reset;   /* the one that is being made; or NULL */
	struct draw *draw;     /* the one that is being fixed; or NULL */
	struct import *import; /* the one that is looked at or made; or NULL */
	struct rooms rooms;
	struct seats seats;
	struct tickets tickets;
	int64_t phone_second_us; /* when the count of what telephones asked began */
	unsigned phone_tries;
	struct loop_timer *beat, *tick, *look, *linger;
	json_t *rules, *script; /* owned, or NULL */
	struct tries strangers[STRANGERS];
	uint8_t stranger_key[32];
	int64_t second_us; /* when the count of logins began */
	unsigned logins;
	int64_t warned_us; /* when a directory could not be opened at a login */
	int64_t
	    ahead_ms; /* of this machine's campaign clock, the server's, as its newest answer said */
	bool is_open, ended;
};

/* room.c */
int room_open(struct room **ret, struct office *o, const char *person, struct err *err);
void room_shut(struct room *r); /* all who wait are answered, all streams end */
void room_close(struct room *r);
void room_login(struct room *r, const struct person_key *k);
/* A new stream: what is in hand, then the status. */
void room_watch(struct room *r, struct seat *s, const struct http_request *req);
void room_unwatch(struct room *r, const struct seat *s); /* NULL: all */
void room_beat(struct room *r);
/* Gives back what is in hand, and forgets the key as soon as that is done. */
void room_leave(struct room *r, const char *reason);
void room_tick(struct room *r, int64_t now);
bool room_is_idle(const struct room *r);

/* picture.c */
void picture_answer(struct room *r, const struct http_request *req, struct http_response *res);

/* draftkey.c: 64 hex digits. */
int draft_key(const struct room *r, char hex[65], struct err *err);

/* seats.c */
struct seat *seat_new(struct room *r, char cookie[TOKEN_TEXT]);
/* NULL: not logged in. renews: it shows that somebody is there. */
struct seat *seat_of(struct office *o, const struct http_request *req, bool renews);
bool seat_proves(const struct seat *s, const struct http_request *req); /* the CSRF token */
void seat_end(struct seat *s);
void seats_tick(struct office *o, int64_t now);
void seats_of_room_end(struct room *r);

/* door.c */
void door_login(struct office *o, const struct http_request *req, struct http_response *res);
void door_done(struct pin_job *job);
/* One try of this person's PIN is counted; false: too many, and res says so. */
bool door_try(struct room *r, int64_t now, struct http_response *res);
json_t *door_people(const struct office *o); /* what colleagues are called, where it is known */
json_t *door_person(const struct room *r, const struct seat *s);
void door_known(struct room *r);             /* the broker's word came */
void door_tick(struct room *r, int64_t now); /* or it did not */
void door_close(struct room *r);

/* pages.c */
void pages_answer(void *arg, const struct http_request *req, struct http_response *res);
int pages_admit(void *arg, const struct http_request *req);
void pages_json(struct http_response *res, int status, json_t *o); /* takes o */
void pages_error(struct http_response *res, int status, const char *code, const char *text);
/* NULL: nobody of that name, or (*ret_broken) a directory that cannot be opened now. */
struct room *office_room(struct office *o, const char *person, bool *ret_broken);

/* views.c */
void views_own(struct room *r, const struct http_request *req, struct http_response *res);
void views_list(struct room *r, const struct http_request *req, struct http_response *res);
bool views_seen(struct room *r, const struct link_event *e); /* was it asked for here? */
void views_close(struct room *r);                            /* answers what waits */
void views_campaign(struct room *r, const struct http_request *req, struct http_response *res);

/* phone.c */
void phone_ticket(struct room *r, const struct http_request *req, struct http_response *res);
int phone_admit(struct office *o, const struct http_request *req);
void phone_page(struct office *o, const struct http_request *req, struct http_response *res);
void phone_photo(struct office *o, const struct http_request *req, struct http_response *res);
void phone_tick(struct office *o, int64_t now);
void phone_close(struct office *o);

/* resets.c */
void resets_ask(struct room *r, const struct http_request *req, struct http_response *res);
void resets_close(struct office *o); /* answers what waits */

/* draws.c */
void draws_ask(struct room *r, const struct http_request *req, struct http_response *res);
void draws_close(struct office *o); /* answers what waits */

/* imports.c */
void imports_upload(struct room *r, const struct http_request *req, struct http_response *res);
void imports_state(struct room *r, struct http_response *res);
void imports_go(struct room *r, const struct http_request *req, struct http_response *res);
void imports_drop(struct room *r, struct http_response *res);
void imports_left(struct room *r); /* its person has gone */
void imports_tick(struct office *o, int64_t now);
void imports_close(struct office *o);

/* reports.c */
void reports_open(struct office *o);
void reports_close(struct reports *all); /* NULL-safe; answers what waits */
void reports_answer(struct room *r, const struct http_request *req, struct http_response *res);
void reports_list(struct room *r, struct http_response *res);

#endif
