/* Reads DBF through shapelib, which gets the descriptor through its file hooks: nothing is opened.
 *
 * Happy path: header checked by us (fields lie inside the record, records inside the file), each
 * field's bytes decoded into one row. Failures: a file shorter than its header says, more than 64
 * fields. */

#include "ctl/import/dbf.h"

#include <shapefil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "ctl/import/norm.h"

#define FIELD_BYTES 32

static int
le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static int64_t
le32(const uint8_t *p)
{
	return (int64_t)p[0] | (int64_t)p[1] << 8 | (int64_t)p[2] << 16 | (int64_t)p[3] << 24;
}

/* The fields end with 0x0d; together they are as long as the record less its deletion mark. */
static bool
fields_fit(const uint8_t *head, int header_bytes, int record_bytes)
{
	int at = FIELD_BYTES, sum = 1;

	for (; at + FIELD_BYTES <= header_bytes && head[at] != 0x0d; at += FIELD_BYTES) {
		if (strchr("CNFLDMBGITY@+O0", head[at + 11]) == NULL || head[at + 11] == '\0' ||
		    head[at + 16] == 0)
			return false;
		sum += head[at + 16];
	}
	return at > FIELD_BYTES && at < header_bytes && head[at] == 0x0d && sum <= record_bytes;
}

bool
dbf_header(const uint8_t *head, size_t n, int64_t size, int *ret_header_bytes)
{
	static const uint8_t versions[] = {
	    0x02, 0x03, 0x04, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8b, 0x8e, 0xcb, 0xf5, 0xfb};
	int header_bytes, record_bytes;

	if (n < 66 || memchr(versions, head[0], sizeof(versions)) == NULL)
		return false;
	header_bytes = le16(head + 8);
	record_bytes = le16(head + 10);
	if (header_bytes < 65 || (size_t)header_bytes > n || header_bytes > size ||
	    record_bytes < 2 || head[2] > 12 || head[3] > 31)
		return false;
	*ret_header_bytes = header_bytes;
	return fields_fit(head, header_bytes, record_bytes);
}

/* shapelib's hooks know no context: the descriptor travels as the file's name. */
struct file {
	int fd;
	int64_t pos;
	int64_t at; /* of the bytes held */
	size_t held;
	uint8_t bytes[65536];
};

static SAFile
on_open(const char *name, const char *access)
{
	struct file *f;
	char *end;
	long fd = strtol(name, &end, 10);

	(void)access;
	if (strcmp(end, ".dbf") != 0)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->fd = (int)fd;
	return (SAFile)f;
}

static SAOffset
on_read(void *out, SAOffset size, SAOffset n, SAFile file)
{
	struct file *f = (struct file *)file;
	size_t want = size * n, got = 0;

	while (got < want) {
		size_t off, part;

		if (f->pos < f->at || f->pos >= f->at + (int64_t)f->held) {
			ssize_t r = pread(f->fd, f->bytes, sizeof(f->bytes), f->pos);

			if (r <= 0)
				break;
			f->at = f->pos;
			f->held = (size_t)r;
		}
		off = (size_t)(f->pos - f->at);
		part = f->held - off < want - got ? f->held - off : want - got;
		memcpy((char *)out + got, f->bytes + off, part);
		got += part;
		f->pos += (int64_t)part;
	}
	return size == 0 ? 0 : got / size;
}

static SAOffset
on_write(void *data, SAOffset size, SAOffset n, SAFile file)
{
	(void)data;
	(void)size;
	(void)n;
	(void)file;
	return 0;
}

static SAOffset
on_seek(SAFile file, SAOffset offset, int whence)
{
	struct file *f = (struct file *)file;

	if (whence == SEEK_SET)
		f->pos = (int64_t)offset;
	else if (whence == SEEK_CUR)
		f->pos += (int64_t)offset;
	else
		f->pos = lseek(f->fd, 0, SEEK_END) + (int64_t)offset;
	return 0;
}

static SAOffset
on_tell(SAFile file)
{
	return (SAOffset)((struct file *)file)->pos;
}

static int
on_flush(SAFile file)
{
	(void)file;
	return 0;
}

static int
on_close(SAFile file)
{
	free(file);
	return 0;
}

static int
on_remove(const char *name)
{
	(void)name;
	return -1;
}

static void
on_error(const char *message)
{
	(void)message; /* it may quote the file */
}

static DBFHandle
open_table(int fd)
{
	SAHooks hooks = {on_open, on_read, on_write, on_seek, on_tell, on_flush, on_close,
	    on_remove, on_error, atof};
	char name[16];

	snprintf(name, sizeof(name), "%d", fd);
	return DBFOpenLL(name, "rb", &hooks);
}

struct reader {
	DBFHandle table;
	struct decoder *d;
	const struct sheet_sink *sink;
	struct buf text;
	size_t at[SHEET_COLUMNS];
	struct sheet_row out;
};

static void
add_cell(struct reader *r, const char *bytes)
{
	struct cell *c = &r->out.cells[r->out.n];
	size_t from = r->text.len, len;

	decoder_add(r->d, &r->text, span_str(bytes));
	decoder_end(r->d, &r->text);
	len = r->text.len - from;
	c->kind = len > SHEET_CELL_BYTES ? CELL_LONG : CELL_TEXT;
	c->text.len = norm_cut(r->text.data + from, len, SHEET_CELL_BYTES);
	r->at[r->out.n++] = from;
}

static int
hand_on(struct reader *r, int64_t number, struct refusal *no)
{
	r->out.number = number;
	for (size_t i = 0; i < r->out.n; i++)
		r->out.cells[i].text.data = r->text.data + r->at[i];
	return r->sink->row(r->sink->arg, &r->out, no);
}

static int
read_names(struct reader *r, int fields, struct refusal *no)
{
	for (int i = 0; i < fields; i++) {
		char name[12] = "";
		int width, decimals;

		DBFGetFieldInfo(r->table, i, name, &width, &decimals);
		add_cell(r, name);
	}
	return hand_on(r, 1, no);
}

static int
read_records(struct reader *r, int fields, int records, struct refusal *no)
{
	for (int i = 0; i < records; i++) {
		if (DBFIsRecordDeleted(r->table, i))
			continue;
		buf_clear(&r->text);
		r->out.n = 0;
		for (int k = 0; k < fields; k++) {
			const char *bytes = DBFReadStringAttribute(r->table, i, k);

			if (bytes == NULL)
				return refuse(
				    no, REFUSE_DAMAGED, "DBF 第 %d 条记录读不出来", i + 1);
			add_cell(r, bytes);
		}
		if (hand_on(r, i + 2, no) != 0)
			return -1;
	}
	return 0;
}

/* Does the file hold all records that its header counts? */
static int
count_records(const struct input *in, int *ret, struct refusal *no)
{
	uint8_t head[32];
	int64_t records;
	size_t n;

	if (input_read(in, 0, head, sizeof(head), &n, no) != 0)
		return -1;
	if (n != sizeof(head))
		return refuse(no, REFUSE_CHANGED, "读取时文件被改动；请关闭别的程序后再导入");
	records = le32(head + 4);
	if (records * le16(head + 10) + le16(head + 8) > in->size)
		return refuse(
		    no, REFUSE_DAMAGED, "DBF 文件不完整，比表头写的记录数短；请重新取一份");
	if (records > SHEET_ROWS)
		return refuse(no, REFUSE_ROWS, "超过 %d 行；请分成几个文件导入", SHEET_ROWS);
	*ret = (int)records;
	return 0;
}

int
dbf_read(
    const struct input *in, struct decoder *d, const struct sheet_sink *sink, struct refusal *no)
{
	struct reader r = {.d = d, .sink = sink};
	int fields, records = 0, rc = -1;

	if (count_records(in, &records, no) != 0)
		return -1;
	r.table = open_table(in->fd);
	if (r.table == NULL)
		return refuse(no, REFUSE_DAMAGED, "DBF 文件头损坏；请重新取一份");
	fields = DBFGetFieldCount(r.table);
	if (fields > SHEET_COLUMNS)
		refuse(no, REFUSE_COLUMNS, "超过 %d 列；请删去多余的列", SHEET_COLUMNS);
	else if (read_names(&r, fields, no) == 0)
		rc = read_records(&r, fields, records, no);
	DBFClose(r.table);
	buf_done(&r.text);
	return rc;
}
