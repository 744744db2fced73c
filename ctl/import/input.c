/* Decides what kind of file this is.
 *
 * Happy path: the first bytes say zip, DBF or neither; neither without NUL bytes is CSV. The same
 * pass hashes the file and asks whether it is UTF-8 from end to end, since "not UTF-8" is what makes
 * a Chinese file GB18030. Failures: old Excel, UTF-16, other binaries, too big, unreadable. */

#include "ctl/import/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crypt.h"
#include "base/text.h"
#include "ctl/import/dbf.h"

#define CHUNK (1 << 18)

static int64_t
mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int
input_init(struct input *in, int fd, struct refusal *no)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return refuse(no, REFUSE_IO, "读不了文件：%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(no, REFUSE_FORMAT, "这不是一个普通文件；请给出名单文件");
	*in = (struct input){fd, st.st_size, mtime_ns(&st)};
	return 0;
}

int
input_unchanged(const struct input *in, struct refusal *no)
{
	struct stat st;

	if (fstat(in->fd, &st) != 0 || st.st_size != in->size || mtime_ns(&st) != in->changed_ns)
		return refuse(no, REFUSE_CHANGED, "读取时文件被改动；请关闭别的程序后再导入");
	return 0;
}

int
input_read(
    const struct input *in, int64_t at, void *out, size_t n, size_t *ret_n, struct refusal *no)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(in->fd, (char *)out + got, n - got, at + (int64_t)got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return refuse(no, REFUSE_IO, "读不了文件：%s", strerror(errno));
		if (r == 0)
			break;
		got += (size_t)r;
	}
	*ret_n = got;
	return 0;
}

const char *
input_format_word(enum input_format format)
{
	static const char *const words[] = {"xlsx", "csv", "dbf"};

	return words[format];
}

static int
recognise(const struct input *in, const uint8_t *head, size_t n, struct input_facts *ret,
    struct refusal *no)
{
	static const uint8_t ole[] = {0xd0, 0xcf, 0x11, 0xe0};

	if (n >= 4 && memcmp(head, ole, 4) == 0)
		return refuse(no, REFUSE_OLD_EXCEL,
		    "这是旧式 .xls 文件或加了密码的文件；请在 Excel 或 WPS 里去掉密码，"
		    "另存为 .xlsx 再导入");
	if (n >= 2 &&
	    ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff)))
		return refuse(no, REFUSE_ENCODING,
		    "这是 UTF-16（“Unicode 文本”）；请另存为 .xlsx 或“CSV UTF-8”再导入");
	if (n >= 4 && memcmp(head, "PK\3\4", 4) == 0) {
		ret->format = INPUT_XLSX;
	} else if (dbf_header(head, n, in->size, &ret->header_bytes)) {
		ret->format = INPUT_DBF;
	} else {
		ret->format = INPUT_CSV;
		ret->has_bom = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0;
	}
	if (in->size > (ret->format == INPUT_XLSX ? INPUT_PACKED_MAX : INPUT_PLAIN_MAX))
		return refuse(no, REFUSE_TOO_BIG, "文件太大；请分成几个文件导入");
	return 0;
}

/* How many bytes at the end belong to a character that goes on in the next chunk? */
static size_t
open_tail(const uint8_t *data, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		uint8_t c = data[len - back];
		size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		if ((c & 0xc0) == 0x80)
			continue;
		return need > back ? back : 0;
	}
	return 0;
}

/* One chunk, with the open tail of the last one in front of it; answers the new tail's length. */
static size_t
look_at_text(struct input_facts *f, uint8_t *data, size_t len)
{
	size_t tail;

	if (f->is_ascii)
		for (size_t i = 0; i < len && f->is_ascii; i++)
			f->is_ascii = data[i] < 0x80;
	if (!f->is_utf8)
		return 0;
	tail = open_tail(data, len);
	f->is_utf8 = utf8_valid(data, len - tail);
	return tail;
}

static int
scan(const struct input *in, struct input_facts *f, uint8_t *chunk, struct refusal *no)
{
	uint8_t digest[32];
	struct sha256 hash;
	int64_t at = 0;
	size_t tail = 0, n = 0;

	sha256_init(&hash);
	for (;; at += (int64_t)n) {
		uint8_t *data = chunk + 4;

		if (input_read(in, at, data, CHUNK, &n, no) != 0)
			return -1;
		if (n == 0)
			break;
		sha256_add(&hash, data, n);
		if (f->format == INPUT_XLSX)
			continue;
		if (f->format == INPUT_CSV && memchr(data, '\0', n) != NULL)
			return refuse(no, REFUSE_FORMAT,
			    "认不出这个文件；能导入 .xlsx、.csv 和 .dbf（旧式 .xls、.et 请另存为 "
			    ".xlsx）");
		if (f->format == INPUT_DBF) {
			int64_t skip = f->header_bytes - at;

			for (size_t i = 0; i < n; i++)
				if ((int64_t)i < skip || data[i] < 0x20)
					data[i] = ' ';
		}
		tail = look_at_text(f, data - tail, n + tail);
		memmove(chunk + 4 - tail, data + n - tail, tail);
	}
	f->is_utf8 = f->is_utf8 && tail == 0;
	sha256_done(&hash, digest);
	hex_encode(f->sha256, digest, sizeof(digest));
	return 0;
}

int
input_look(const struct input *in, struct input_facts *ret, struct refusal *no)
{
	uint8_t *chunk = xmalloc(CHUNK + 4);
	size_t n = 0;
	int rc = -1;

	memset(ret, 0, sizeof(*ret));
	ret->is_utf8 = true;
	ret->is_ascii = true;
	if (input_read(in, 0, chunk, CHUNK, &n, no) != 0)
		goto out;
	if (n == 0) {
		refuse(no, REFUSE_EMPTY, "文件是空的；请检查是否选对了文件");
		goto out;
	}
	if (recognise(in, chunk, n, ret, no) == 0)
		rc = scan(in, ret, chunk, no);
out:
	free(chunk);
	return rc;
}
