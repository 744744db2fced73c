/* Known answers, and seals that open for nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/crypt.h"
#include "base/text.h"

static int
setup(void **state)
{
	(void)state;
	return crypt_init(NULL);
}

static void
expect_hex(const uint8_t *data, size_t len, const char *want)
{
	char hex[129];

	hex_encode(hex, data, len);
	assert_string_equal(hex, want);
}

static void
hashes_give_the_published_answers(void **state)
{
	struct span parts[3] = {span_str("a"), span_of(NULL, 0), span_str("bc")};
	uint8_t out[32], key[64], mac[64];
	struct sha256 sha;

	(void)state;
	crypt_hash(out, parts, 3);
	expect_hex(out, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	crypt_hash(out, NULL, 0);
	expect_hex(out, 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	/* BLAKE2b's own test vectors: key 00..3f, input 00. */
	for (int i = 0; i < 64; i++)
		key[i] = (uint8_t)i;
	crypt_keyed(mac, 64, key, 64, span_of("\0", 1));
	expect_hex(mac, 64,
	    "961f6dd1e4dd30f63901690c512e78e4b45e4742ed197c3c5e45c549fd25f2e4"
	    "187b0bc9fe30492b16b0d0bc4ef9b0f34c7003fac09a5ef1532e69430234cebd");
	crypt_keyed(mac, 8, key, 16, span_str("x"));
	assert_true(crc32c(0, "123456789", 9) == 0xe3069283U);
	assert_true(crc32c(crc32c(0, "1234", 4), "56789", 5) == 0xe3069283U);
	assert_true(crc32c(0, "", 0) == 0);
	sha256_init(&sha);
	sha256_add(&sha, "ab", 2);
	sha256_add(&sha, "c", 1);
	sha256_done(&sha, out);
	expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
a_seal_opens_only_with_all_three(void **state)
{
	uint8_t key[SEAL_KEY_LEN], other[SEAL_KEY_LEN];
	struct buf sealed = BUF_INIT, again = BUF_INIT, plain = BUF_INIT;
	struct span text = span_str("what was said"), ad = span_str("case-1");
	struct err err = ERR_INIT;

	(void)state;
	crypt_random(key, sizeof(key));
	crypt_random(other, sizeof(other));
	buf_adds(&plain, "kept:");
	crypt_seal(&sealed, key, text, ad);
	crypt_seal(&again, key, text, ad);
	assert_int_equal(sealed.len, text.len + SEAL_OVERHEAD);
	assert_memory_not_equal(sealed.data, again.data, sealed.len);
	assert_int_equal(crypt_open(&plain, key, buf_span(&sealed), ad, &err), 0);
	assert_string_equal((char *)plain.data, "kept:what was said");
	assert_int_equal(crypt_open(&plain, other, buf_span(&sealed), ad, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(crypt_open(&plain, key, buf_span(&sealed), span_str("case-2"), &err), -1);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		assert_int_equal(crypt_open(&plain, key, buf_span(&sealed), ad, &err), -1);
		sealed.data[i] ^= 1;
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(crypt_open(&plain, key, span_of(sealed.data, len), ad, &err), -1);
	assert_string_equal((char *)plain.data, "kept:what was said");
	buf_clear(&sealed);
	buf_clear(&plain);
	crypt_seal(&sealed, key, span_of(NULL, 0), span_of(NULL, 0));
	assert_int_equal(crypt_open(&plain, key, buf_span(&sealed), span_of(NULL, 0), &err), 0);
	assert_int_equal(plain.len, 0);
	buf_done(&sealed);
	buf_done(&again);
	buf_done(&plain);
}

static void
a_signature_fits_one_text_and_one_key(void **state)
{
	uint8_t pk[SIGN_PK_LEN], sk[SIGN_SK_LEN], pk2[SIGN_PK_LEN], sk2[SIGN_SK_LEN], sig[SIGN_LEN];

	(void)state;
	crypt_sign_keypair(pk, sk);
	crypt_sign_keypair(pk2, sk2);
	crypt_sign(sig, sk, span_str("record"));
	assert_true(crypt_verify(sig, pk, span_str("record")));
	assert_false(crypt_verify(sig, pk, span_str("recore")));
	assert_false(crypt_verify(sig, pk2, span_str("record")));
	sig[5] ^= 1;
	assert_false(crypt_verify(sig, pk, span_str("record")));
	assert_true(crypt_equal("abc", "abc", 3));
	assert_false(crypt_equal("abc", "abd", 3));
	crypt_wipe(sk, sizeof(sk));
	assert_true(sk[0] == 0 && sk[SIGN_SK_LEN - 1] == 0);
}

static void
a_password_gives_the_same_key_with_the_same_salt(void **state)
{
	static const uint8_t salt[16] = "sixteen bytes..";
	static const uint8_t other[16] = "sixteen bytes!!";
	uint8_t a[SEAL_KEY_LEN], b[SEAL_KEY_LEN];

	(void)state;
	assert_int_equal(crypt_password_key(a, "correct horse", salt, NULL), 0);
	/* Changing the cost would lock everybody out: 64 MiB, three passes. */
	expect_hex(a, 4, "6ec93798");
	assert_int_equal(crypt_password_key(b, "correct horse", other, NULL), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes_give_the_published_answers),
	    cmocka_unit_test(a_seal_opens_only_with_all_three),
	    cmocka_unit_test(a_signature_fits_one_text_and_one_key),
	    cmocka_unit_test(a_password_gives_the_same_key_with_the_same_salt),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
