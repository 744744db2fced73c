/* Any bytes as an outbox file: no crash, no endless work, and what is read can be written again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "workers/link/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Frames with good checksums out of the input, so that what is behind the crc is reached as well:
 * type, length (two bytes), payload. */
static void
frames_of(struct buf *out, const uint8_t *data, size_t size)
{
	struct buf entries = BUF_INIT;

	while (size >= 3) {
		size_t len = (size_t)data[1] << 8 | data[2];

		if (data[0] == 0 || data[0] >= ENTRY_TYPES)
			break;
		len = len > size - 3 ? size - 3 : len;
		(void)segment_entry(&entries, (enum entry_type)data[0], span_of(data + 3, len));
		data += 3 + len;
		size -= 3 + len;
	}
	segment_frames(out, buf_span(&entries));
	buf_done(&entries);
}

static void
read_all(struct span file)
{
	struct segment_reader r = segment_open(file);
	struct buf snapshot = BUF_INIT;
	struct entry e;
	struct fold f;
	uint8_t h[32];
	int rc = 0;

	fold_init(&f);
	while (rc == 0 && segment_next(&r, &e)) {
		CHECK(e.at + e.payload.len <= file.len);
		rc = fold_entry(&f, &e, 1, NULL);
	}
	CHECK(r.good <= file.len);
	if (rc == 0 && f.opened) {
		fold_settle(&f);
		CHECK(fold_hash_at(&f, fold_head(&f), h));
		fold_put_snapshot(&snapshot, &f, 2);
		buf_done(&snapshot);
	}
	fold_done(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file = BUF_INIT;

	read_all(span_of(data, size));
	buf_adds(&file, SEGMENT_MAGIC);
	frames_of(&file, data, size);
	read_all(buf_span(&file));
	buf_clear(&file);
	buf_adds(&file, SEGMENT_MAGIC);
	buf_add(&file, data, size);
	read_all(buf_span(&file));
	buf_done(&file);
	return 0;
}
