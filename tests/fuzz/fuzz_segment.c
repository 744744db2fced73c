/* Any bytes as a segment of the archive: refused as damaged, or understood so well that its entries written again are
 * the same bytes. The second reading puts the input behind a good head, so that the entries are reached; no reading
 * looks at the signature, which would be nine tenths of the time, so none is made (crypt_sign is wrapped, Makefile). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "workers/recorder/segfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's own name */
void
__wrap_crypt_sign(uint8_t sig[SIGN_LEN], const uint8_t sk[SIGN_SK_LEN], struct span text)
{
	(void)sk;
	(void)text;
	memset(sig, 0x5a, SIGN_LEN);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void
read_all(struct span file)
{
	struct buf again = BUF_INIT;
	struct segfile s;
	struct segfile_entry e;
	struct err err = ERR_INIT;
	struct span rest;
	int rc = segfile_decode(&s, file, &err);

	if (rc != 0) {
		CHECK(err.code == ERR_CORRUPT && err.text[0] != '\0');
		return;
	}
	rest = s.entries;
	while ((rc = segfile_next(&rest, &e, &err)) == 1)
		segfile_entry(&again, e.at, &e.raw);
	if (rc == 0)
		CHECK(span_eq(buf_span(&again), s.entries));
	buf_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero_sk[SIGN_SK_LEN];
	struct buf file = BUF_INIT;
	struct segfile s = {
	    .number = 1, .campaign = "c1", .first = {1, 1}, .last = {1, 2}, .count = 2};

	read_all(span_of(data, size));
	s.entries = span_of(data, size);
	segfile_encode(&file, &s, zero_sk);
	read_all(buf_span(&file));
	buf_done(&file);
	return 0;
}
