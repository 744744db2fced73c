/* crypt.c - libsodium under our own names, and CRC-32C for files.
 *
 * Everything but opening, verifying and the slow password hash succeeds by construction. Opening says
 * "damaged" and no more: why a seal does not fit is nobody's business. Nonces are random 192 bits,
 * so no counter has to survive a crash. */
#include "base/crypt.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/check.h"

_Static_assert(SIGN_PK_LEN == crypto_sign_PUBLICKEYBYTES, "signature sizes");
_Static_assert(SIGN_SK_LEN == crypto_sign_SECRETKEYBYTES, "signature sizes");
_Static_assert(SIGN_LEN == crypto_sign_BYTES, "signature sizes");
_Static_assert(SEAL_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "seal sizes");
_Static_assert(24 == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "seal sizes");
_Static_assert(16 == crypto_aead_xchacha20poly1305_ietf_ABYTES, "seal sizes");
_Static_assert(16 == crypto_pwhash_SALTBYTES, "salt size");

/* argon2id: 64 MiB, three passes. Changing them changes every key derived so far. */
#define PASSWORD_OPS 3U
#define PASSWORD_MEM (64U << 20)

/* No core file, no debugger of the same user; a sanitizer's leak check is such a debugger. */
static void
forbid_dumps(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

int
crypt_init(struct err *err)
{
	forbid_dumps();
	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "libsodium does not start");
	return 0;
}

void
crypt_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

void
crypt_wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

bool
crypt_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void
crypt_hash(uint8_t out[HASH_LEN], const struct span *parts, size_t n)
{
	crypto_generichash_state state;

	CHECK(crypto_generichash_init(&state, NULL, 0, HASH_LEN) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(crypto_generichash_update(&state, parts[i].data, parts[i].len) == 0);
	CHECK(crypto_generichash_final(&state, out, HASH_LEN) == 0);
}

void
crypt_keyed(uint8_t *out, size_t out_len, const uint8_t *key, size_t key_len, struct span data)
{
	crypto_generichash_blake2b_state state;

	CHECK(out_len >= 8 && out_len <= 64 && key_len >= 16 && key_len <= 64);
	CHECK(crypto_generichash_blake2b_init(&state, key, key_len, out_len) == 0);
	CHECK(crypto_generichash_blake2b_update(&state, data.data, data.len) == 0);
	CHECK(crypto_generichash_blake2b_final(&state, out, out_len) == 0);
	crypt_wipe(&state, sizeof(state));
}

void
crypt_seal(struct buf *out, const uint8_t key[SEAL_KEY_LEN], struct span plain, struct span ad)
{
	uint8_t nonce[24];
	uint8_t *room = xmalloc(plain.len + 16);
	unsigned long long len = 0;

	crypt_random(nonce, sizeof(nonce));
	CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
	          room, &len, plain.data, plain.len, ad.data, ad.len, NULL, nonce, key) == 0);
	buf_add(out, nonce, sizeof(nonce));
	buf_add(out, room, (size_t)len);
	free(room);
}

int
crypt_open(struct buf *out, const uint8_t key[SEAL_KEY_LEN], struct span sealed, struct span ad,
    struct err *err)
{
	unsigned long long len = 0;
	uint8_t *room;
	int rc = 0;

	if (sealed.len < SEAL_OVERHEAD)
		return err_set(err, ERR_CORRUPT, "sealed data is too short");
	room = xmalloc(sealed.len);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(room, &len, NULL, sealed.data + 24,
	        sealed.len - 24, ad.data, ad.len, sealed.data, key) != 0)
		rc = err_set(err, ERR_CORRUPT, "the seal does not fit");
	else
		buf_add(out, room, (size_t)len);
	crypt_wipe(room, sealed.len);
	free(room);
	return rc;
}

void
crypt_sign_keypair(uint8_t pk[SIGN_PK_LEN], uint8_t sk[SIGN_SK_LEN])
{
	CHECK(crypto_sign_keypair(pk, sk) == 0);
}

void
crypt_sign_from_seed(uint8_t pk[SIGN_PK_LEN], uint8_t sk[SIGN_SK_LEN], const uint8_t seed[32])
{
	CHECK(crypto_sign_seed_keypair(pk, sk, seed) == 0);
}

void
crypt_sign(uint8_t sig[SIGN_LEN], const uint8_t sk[SIGN_SK_LEN], struct span msg)
{
	CHECK(crypto_sign_detached(sig, NULL, msg.data, msg.len, sk) == 0);
}

bool
crypt_verify(const uint8_t sig[SIGN_LEN], const uint8_t pk[SIGN_PK_LEN], struct span msg)
{
	return crypto_sign_verify_detached(sig, msg.data, msg.len, pk) == 0;
}

int
crypt_password_key(
    uint8_t key[SEAL_KEY_LEN], const char *password, const uint8_t salt[16], struct err *err)
{
	if (crypto_pwhash(key, SEAL_KEY_LEN, password, strlen(password), salt, PASSWORD_OPS,
	        PASSWORD_MEM, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(err, ERR_FULL, "no memory to derive a key from a password");
	return 0;
}

/* Filled before main, so that threads only ever read it. Without a table eight shifts a byte would be
 * the whole cost of a small record's append. */
static uint32_t crc_table[256];

__attribute__((constructor)) static void
fill_crc_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = (c & 1) != 0 ? c >> 1 ^ 0x82f63b78U : c >> 1;
		crc_table[i] = c;
	}
}

uint32_t
crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	while (len-- > 0)
		crc = crc >> 8 ^ crc_table[(crc ^ *p++) & 0xff];
	return ~crc;
}

_Static_assert(sizeof(struct sha256) >= sizeof(crypto_hash_sha256_state), "sha256 state");

/* libsodium's state needs no more than the alignment of 64 bits. */
static crypto_hash_sha256_state *
sha256_state(struct sha256 *h)
{
	return (crypto_hash_sha256_state *)(void *)h->state;
}

void
sha256_init(struct sha256 *h)
{
	CHECK(crypto_hash_sha256_init(sha256_state(h)) == 0);
}

void
sha256_add(struct sha256 *h, const void *data, size_t len)
{
	CHECK(crypto_hash_sha256_update(sha256_state(h), data, len) == 0);
}

void
sha256_done(struct sha256 *h, uint8_t out[32])
{
	CHECK(crypto_hash_sha256_final(sha256_state(h), out) == 0);
}
