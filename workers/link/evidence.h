/* evidence.h - the sealed files of an agent that are on their way (PROTOCOL.md 9), beside its outbox.
 *
 * A file lies in <agent directory>/evidence under its hash from before anybody is told that it is stored until the
 * newest record that names it is released. Blocking. */
#ifndef LINK_EVIDENCE_H
#define LINK_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EVIDENCE_PLAIN_MAX (10u << 20) /* bytes */
#define EVIDENCE_PIECE     65536

struct evidence;

/* dir: the agent's directory. */
int evidence_open(struct evidence **ret, const char *dir, struct err *err);
void evidence_close(struct evidence *e); /* NULL-safe */

/* Seals with the case's key; all of it is on the disk then. ERR_INVALID: neither JPEG, PNG nor PDF, empty, or too
 * large; ERR_IO. The same bytes twice are two files: the nonce differs. */
int evidence_put(struct evidence *e, const uint8_t case_id[16], const uint8_t key[32],
    struct span plain, uint8_t ret_hash[32], struct err *err);
/* The record seq, about to be stored, names it. Not one of ours: nothing. */
void evidence_named(struct evidence *e, const uint8_t hash[32], uint64_t seq);
/* What records up to here named, and is sent, may be forgotten. */
void evidence_released(struct evidence *e, uint64_t upto);

/* The next one that is not known to be all there; false: none. */
bool evidence_next(const struct evidence *e, uint8_t ret_hash[32], uint64_t *ret_size);
void evidence_sent(struct evidence *e, const uint8_t hash[32]);
/* Another store may have less than the one that had it all: each is asked about again. */
void evidence_ask_again(struct evidence *e);
/* At most EVIDENCE_PIECE bytes from offset on are appended. */
int evidence_piece(const struct evidence *e, const uint8_t hash[32], uint64_t offset,
    struct buf *out, struct err *err);

/* The plain bytes out of a sealed file. ERR_CORRUPT: another key, another case, or damaged. */
int evidence_unseal(struct buf *out, const uint8_t case_id[16], const uint8_t key[32],
    struct span sealed, struct err *err);
/* "jpg", "png", "pdf" by the first bytes, or NULL. */
const char *evidence_type(struct span plain);

#endif
