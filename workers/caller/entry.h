/* entry.h - one JSON command of a person into a record's header and body (entry.c, act.c). No I/O.
 *
 * What a caller may write is judged by form alone: codes are words of a-z and -, the campaign's law
 * knows their meaning. Names, digits, notes and words go into the body, everything else into the
 * header. */
#ifndef CALLER_ENTRY_H
#define CALLER_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/lists.h"
#include "proto/record.h"
#include "workers/link/client.h"

/* A refusal for the user: code in English for programs, text in Chinese for people. */
#define ENTRY_WORD_MAX 24
struct refusal {
	const char *code;
	char text[256];
};
/* Returns -1, so that one can write `return refuse(…)`. */
int refuse(struct refusal *ret, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Texts in header and body are borrowed from the JSON object and from this struct. */
struct entry_record {
	struct record_header h;
	struct body body;
	enum client_then then;
	uint64_t number;      /* n of the task, 0 none: its digits become header.number */
	const char *digits;   /* the number itself, if it was given so */
	uint8_t number_id[8]; /* filled by entry_number */
	uint8_t evidence[8][32];
};

/* do = record, note, number, reveal. person: who acts. 0 or -1 with the refusal. */
int entry_record(
    struct entry_record *ret, const json_t *o, const char *person, struct refusal *why);
/* The number that was dialled, once the task is open: digits of n, or those given. */
void entry_number(struct entry_record *r, const uint8_t case_key[32], const char *digits);

/* do = act: a record of any other kind that a person says alone. Borrows from o and from itself. */
struct act {
	struct record_header h;
	struct body body;
	char kind[16]; /* as it was written */
	uint8_t bin[FIELD_KEYS][16];
	uint8_t evidence[8][32];
};
int act_record(struct act *ret, const json_t *o, const char *person, struct refusal *why);
/* For a clear word only: the broker judges, and whether a case is one's own it alone knows. */
int act_allowed(const struct act *a, uint64_t roles, struct refusal *why);

/* Fields that several commands have. Each: true and the value; else false with the refusal. */
bool entry_case(const json_t *o, uint8_t ret[16], struct refusal *why);
bool entry_token(const json_t *o, uint64_t *ret, struct refusal *why);
bool entry_word(
    const json_t *o, const char *key, const char *def, const char **ret, struct refusal *why);
bool entry_digits(const char *text);
bool entry_time(const json_t *v, uint64_t *ret); /* "YYYY-MM-DD HH:MM", RFC 3339 or ms */
bool entry_id(const json_t *v, uint8_t ret[16]); /* a UUID, not of zeros */

#endif
