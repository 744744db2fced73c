/* chain.h - the bytes that are hashed, signed and sealed (PROTOCOL.md 3, 4.1, 7.1, 8, 14.2). */
#ifndef PROTO_CHAIN_H
#define PROTO_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypt.h"
#include "base/err.h"
#include "proto/frame.h"

void chain_body_hash(uint8_t bc[32], struct span body);
void chain_next(uint8_t h[32], const uint8_t prev[32], const uint8_t ob[16], uint64_t seq,
    struct span header, const uint8_t bc[32]);
/* h, bc and prev_h of a decoded RECORD are right for each other and for the body. */
bool chain_record_ok(const struct msg_record *r, struct span body);

void chain_agent_id(uint8_t agent[16], const uint8_t curve_pk[32], const uint8_t sign_pk[32]);
void chain_outbox_bytes(
    struct buf *out, const char *campaign, const uint8_t agent[16], const uint8_t ob[16]);
void chain_login_bytes(struct buf *out, const char *campaign, const char *person,
    const uint8_t agent[16], const uint8_t ob[16], uint64_t from, uint64_t until);
void chain_receipt_bytes(struct buf *out, const struct msg_receipt *r);
/* The brokers' proof of the promise (opaque for agents). */
void chain_accept_receipt(uint8_t out[32], const uint8_t key[32], const struct msg_accepted *a);

void chain_number_id(uint8_t out[8], const uint8_t case_key[32], const char *digits);
/* Keyed blind index of a number or a 考生号 under the campaign's index key. what: "num" or "no". */
void chain_index(uint8_t out[8], const uint8_t index_key[32], const char *what, const char *text);

void chain_body_seal(struct buf *out, const uint8_t key[32], const uint8_t case_id[16],
    const uint8_t ob[16], uint64_t seq, struct span plain);
int chain_body_open(struct buf *out, const uint8_t key[32], const uint8_t case_id[16],
    const uint8_t ob[16], uint64_t seq, struct span sealed, struct err *err);
void chain_task_seal(
    struct buf *out, const uint8_t key[32], const uint8_t case_id[16], struct span plain);
int chain_task_open(struct buf *out, const uint8_t key[32], const uint8_t case_id[16],
    struct span sealed, struct err *err);

/* The lease ticket, opaque for agents: case, token, person, ob, MAC under the receipt key. */
void chain_ticket(struct buf *out, const uint8_t key[32], const uint8_t case_id[16], uint64_t token,
    const char *person, const uint8_t ob[16]);
bool chain_ticket_open(const uint8_t key[32], struct span ticket, const uint8_t ob[16],
    uint8_t ret_case[16], uint64_t *ret_token, char ret_person[33]);

#endif
