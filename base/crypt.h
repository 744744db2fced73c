/* crypt.h - the one wrapper of libsodium. Call crypt_init() first in every main().
 *
 * Seal: XChaCha20-Poly1305, out = nonce(24) || ciphertext || tag(16), the nonce random. */
#ifndef BASE_CRYPT_H
#define BASE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define HASH_LEN      32 /* BLAKE2b-256 */
#define SEAL_KEY_LEN  32
#define SEAL_OVERHEAD (24 + 16)
#define SIGN_PK_LEN   32
#define SIGN_SK_LEN   64
#define SIGN_LEN      64
#define MAC_LEN       32

/* Also forbids core files and debuggers: whoever needs this file holds keys. */
int crypt_init(struct err *err);
void crypt_random(void *out, size_t len);
void crypt_wipe(void *p, size_t len);
bool crypt_equal(const void *a, const void *b, size_t len); /* constant time */

/* BLAKE2b-256 over the concatenation of n parts. */
void crypt_hash(uint8_t out[HASH_LEN], const struct span *parts, size_t n);
/* Keyed BLAKE2b, out_len 8..64, key 16..64 bytes: blind index, MAC of receipts. */
void crypt_keyed(
    uint8_t *out, size_t out_len, const uint8_t *key, size_t key_len, struct span data);

void crypt_seal(
    struct buf *out, const uint8_t key[SEAL_KEY_LEN], struct span plain, struct span ad);
/* ERR_CORRUPT when key, data or ad do not fit together. Appends the plain text to out. */
int crypt_open(struct buf *out, const uint8_t key[SEAL_KEY_LEN], struct span sealed, struct span ad,
    struct err *err);

void crypt_sign_keypair(uint8_t pk[SIGN_PK_LEN], uint8_t sk[SIGN_SK_LEN]);
/* The key pair that belongs to a 32-byte seed: what key files hold. */
void crypt_sign_from_seed(uint8_t pk[SIGN_PK_LEN], uint8_t sk[SIGN_SK_LEN], const uint8_t seed[32]);
void crypt_sign(uint8_t sig[SIGN_LEN], const uint8_t sk[SIGN_SK_LEN], struct span msg);
bool crypt_verify(const uint8_t sig[SIGN_LEN], const uint8_t pk[SIGN_PK_LEN], struct span msg);

/* Password to key, argon2id (OWASP moderate); slow on purpose, never in an event loop. */
int crypt_password_key(
    uint8_t key[SEAL_KEY_LEN], const char *password, const uint8_t salt[16], struct err *err);

/* SHA-256 of a stream: what people can compare with sha256sum. */
struct sha256 {
	uint64_t state[16];
};
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
void sha256_done(struct sha256 *h, uint8_t out[32]);

uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
