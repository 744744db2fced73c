/* identity.h - an enrolled agent: its directory, its keys, the persons who may log in from it
 * (PROTOCOL.md 3, 4.1, 14.4).
 *
 * DIR/agent.conf      campaign, brokers, broker_key, recorder_key, agent, curve_pk, sign_pk
 * DIR/curve.key       CURVE secret key, 64 hex digits
 * DIR/sign.key        Ed25519 seed, 64 hex digits
 * DIR/persons/P.key   the person's Ed25519 seed, sealed by a PIN or open (unattended)
 * DIR/outbox/         see outbox.h
 *
 * All files 0600, directories 0700. Secrets are wiped by identity_done. */
#ifndef LINK_IDENTITY_H
#define LINK_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypt.h"
#include "base/err.h"
#include "proto/frame.h"
#include "proto/lists.h"

struct identity {
	char dir[512];
	name_t campaign;
	char brokers[512]; /* endpoints, separated by spaces */
	uint8_t broker_key[32], recorder_key[32];
	uint8_t agent[16];
	uint8_t curve_pk[32], curve_sk[32];
	uint8_t sign_pk[32], sign_sk[64];
};

int identity_load(struct identity *ret, const char *dir, struct err *err);
void identity_done(struct identity *id);

/* Makes DIR with new agent keys; `id` gives campaign, brokers, broker_key and recorder_key, the rest is
 * filled in. ERR_EXISTS when DIR is an agent's already (then use identity_load). */
int identity_create(struct identity *id, const char *dir, struct err *err);

struct person_key {
	name_t person;
	uint8_t pk[32], sk[64];
};
/* Makes persons/P.key; pin NULL: unattended. ERR_EXISTS when the person has a key there already. */
int identity_add_person(const struct identity *id, const char *person, const char *pin,
    uint8_t ret_pk[32], struct err *err);
/* A new PIN for a person who has a key here. A key that was open keeps its value and is sealed; one whose
 * PIN is lost cannot be opened by anybody, so a new one is made (*ret_new), which must be enrolled. */
int identity_reset_pin(const struct identity *id, const char *person, const char *pin,
    uint8_t ret_pk[32], bool *ret_new, struct err *err);
/* A person's key as it lies in its file. */
struct person_seal {
	name_t person;
	bool is_open; /* unattended: no PIN is asked for */
	uint8_t seed[32];
	uint8_t salt[16], sealed[32 + SEAL_OVERHEAD];
};
int identity_person_seal(
    const struct identity *id, const char *person, struct person_seal *ret, struct err *err);
/* No I/O, and nothing is shared: may run in a thread. pin may be NULL for an open one. ERR_DENIED: wrong or
 * missing PIN. Slow (argon2id) when a PIN is needed. */
int person_unseal(
    const struct person_seal *s, const char *pin, struct person_key *ret, struct err *err);
/* Both at once. */
int identity_open_person(const struct identity *id, const char *person, const char *pin,
    struct person_key *ret, struct err *err);
void person_key_done(struct person_key *k);
/* Is the key open to whoever may read the file? */
bool identity_is_unattended(const struct identity *id, const char *person);
/* The only person with a key here. ERR_NOT_FOUND none, ERR_INVALID several. */
int identity_only_person(const struct identity *id, name_t ret, struct err *err);

/* A login ticket from..until (ms), for HELLO. */
void identity_login(const struct identity *id, const struct person_key *k, const uint8_t ob[16],
    uint64_t from, uint64_t until, struct login *ret);
/* HELLO's signature over the outbox. */
void identity_sign_outbox(const struct identity *id, const uint8_t ob[16], uint8_t sig[64]);

#endif
