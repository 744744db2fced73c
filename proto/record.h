/* record.h - the header of a record, its fields and its kinds (PROTOCOL.md 14). */
#ifndef PROTO_RECORD_H
#define PROTO_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/frame.h"
#include "proto/wire.h"

/* clang-format off */
enum record_kind {
	REC_ATTEMPT = 1, REC_NOTE, REC_NUMBER, REC_PAPER, REC_HANDOVER, REC_FINDING, REC_RELEASE,
	REC_STAGE, REC_PASS, REC_POLICY, REC_ABSENCE, REC_APPROVAL, REC_CORRECTION, REC_IMPORT,
	REC_COMMIT, REC_ENROL, REC_REVOKE, REC_PERSON, REC_SIGNOFF, REC_RULING, REC_WAIVER,
	REC_REOPEN, REC_ADOPT, REC_DISMISS, REC_REVEAL, REC_INQUIRY, REC_DRAW, REC_DISPUTE,
	REC_TIMER, REC_PAUSE, REC_DECISION, REC_MESSAGE,
	REC_KINDS, /* one more than the last */
};
/* clang-format on */

/* Field keys; the X-macro gives number, name, type, and the limit: bytes of a string, exact bytes
 * of a bin, most elements of a list, most bytes of joined references. */
#define FIELD_TABLE(X)                                                                             \
	X(1, outcome, FIELD_STR, 24)                                                               \
	X(2, channel, FIELD_STR, 16)                                                               \
	X(3, number, FIELD_BIN, 8)                                                                 \
	X(4, seconds, FIELD_U, 0)                                                                  \
	X(5, next_at, FIELD_U, 0)                                                                  \
	X(6, next_do, FIELD_STR, 24)                                                               \
	X(7, spoke, FIELD_STR, 16)                                                                 \
	X(8, ticks, FIELD_U, 0)                                                                    \
	X(9, script, FIELD_STR, 32)                                                                \
	X(10, concerns, FIELD_STRS, 12)                                                            \
	X(11, decide_by, FIELD_U, 0)                                                               \
	X(12, rung, FIELD_U, 0)                                                                    \
	X(13, evidence, FIELD_BINS, 8)                                                             \
	X(14, line, FIELD_STR, 24)                                                                 \
	X(15, direction, FIELD_STR, 8)                                                             \
	X(16, reason, FIELD_STR, 48)                                                               \
	X(17, to, FIELD_STR, 32)                                                                   \
	X(18, to_team, FIELD_STR, 32)                                                              \
	X(19, count, FIELD_U, 0)                                                                   \
	X(20, n, FIELD_U, 0)                                                                       \
	X(21, until, FIELD_U, 0)                                                                   \
	X(22, import, FIELD_BIN, 16)                                                               \
	X(23, rows, FIELD_U, 0)                                                                    \
	X(24, ref_ob, FIELD_BIN, 16)                                                               \
	X(25, ref_seq, FIELD_U, 0)                                                                 \
	X(26, credit, FIELD_U, 0)                                                                  \
	X(27, subject, FIELD_STR, 32)                                                              \
	X(28, roles, FIELD_U, 0)                                                                   \
	X(29, team, FIELD_STR, 32)                                                                 \
	X(30, qualified, FIELD_U, 0)                                                               \
	X(31, agent, FIELD_BIN, 16)                                                                \
	X(32, curve_pk, FIELD_BIN, 32)                                                             \
	X(33, sign_pk, FIELD_BIN, 32)                                                              \
	X(34, seed, FIELD_U, 0)                                                                    \
	X(35, policy, FIELD_U, 0)                                                                  \
	X(36, what, FIELD_STR, 48)                                                                 \
	X(37, source, FIELD_STR, 32)                                                               \
	X(38, valid, FIELD_U, 0)                                                                   \
	X(39, items, FIELD_U, 0)                                                                   \
	X(40, open, FIELD_U, 0)                                                                    \
	X(41, verdict, FIELD_STR, 32)                                                              \
	X(42, version, FIELD_U, 0)                                                                 \
	X(43, person_pk, FIELD_BIN, 32)                                                            \
	X(44, cases, FIELD_REFS, 448)

enum field_type {
	FIELD_NONE,
	FIELD_U,
	FIELD_STR,
	FIELD_BIN,
	FIELD_STRS,
	FIELD_BINS,
	FIELD_REFS /* references of cases, 16 bytes each, joined */
};
enum field_key {
#define FIELD_ENUM(no, name, type, limit) F_##name = no,
	FIELD_TABLE(FIELD_ENUM)
/* clang-format off */
#undef FIELD_ENUM
	FIELD_KEYS, /* one more than the last */
	/* clang-format on */
};
#define FIELD_LIST_MAX  12
#define FIELD_PAIRS_MAX 24

struct field {
	bool set;
	uint64_t u;
	struct span bytes;                /* STR, BIN, REFS: borrowed */
	uint8_t n;                        /* STRS, BINS */
	struct span list[FIELD_LIST_MAX]; /* borrowed */
};

struct record_header {
	enum record_kind kind;
	name_t person;
	uint64_t token;
	bool has_case;
	uint8_t case_id[16];
	uint64_t expect;
	uint8_t id[16];
	uint64_t again;
	uint8_t boot[16];
	uint64_t t_start, t_end, t_entry, server_wall, server_boot, pc_wall, quality;
	struct field f[FIELD_KEYS]; /* by key; f[0] unused */
};

/* Decodes and checks against the kind's row (required fields, token and case rules). -1
 * ERR_INVALID with what is wrong; person, kind, token and case are filled as far as they could be
 * read. */
int record_header_decode(struct record_header *ret, struct span bytes, struct err *err);
/* CHECKs that the result fits HEADER_MAX. */
void record_header_encode(struct buf *out, const struct record_header *h);

enum { RULE_NEVER, RULE_MAY, RULE_MUST };
/* Bits handed to hf1_broker's `record` (ARCHITECTURE.md 3.3). */
enum {
	RECORD_NEEDS_TOKEN = 1,
	RECORD_MOVES = 2,
	RECORD_BINDS = 4,
	RECORD_QUARANTINED = 8,
	RECORD_AGAIN = 16,
	RECORD_OWNER = 32,
	RECORD_FREES = 64, /* takes a case out of `doubt` */
};

struct record_rule {
	const char *name;   /* "ATTEMPT" */
	int token, case_id; /* RULE_* */
	bool moves, binds;
	uint32_t roles;    /* who may say it without a token; ROLE_OWNER, ROLE_ANY among the bits */
	uint64_t required; /* bit 1<<key */
	uint64_t allowed;  /* bit 1<<key, without the required ones */
};
const struct record_rule *record_rule(enum record_kind kind); /* NULL when unknown */
int record_kind_by_name(const char *name);                    /* 0 when unknown */
const char *field_name(enum field_key key);
enum field_key field_by_name(const char *name); /* 0 when unknown */
enum field_type field_type(enum field_key key);
size_t field_limit(enum field_key key); /* FIELD_TABLE's; 0 when there is none */
bool field_is_id(enum field_key key);   /* a person's or team's id */

/* Setting fields while building a header; text and bytes stay borrowed. */
void field_set_u(struct record_header *h, enum field_key key, uint64_t v);
void field_set_s(struct record_header *h, enum field_key key, const char *text);
/* BIN, and REFS: n x 16 bytes. */
void field_set_b(struct record_header *h, enum field_key key, const void *data, size_t len);
/* One more element of concerns or evidence. */
void field_add(struct record_header *h, enum field_key key, const void *data, size_t len);

#endif
