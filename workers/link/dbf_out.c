/* Writes through shapelib, whose file hooks get a descriptor of ours: the library would choose the
 * file's ending itself. Happy path: fields, records, close. Failures: no room on disk, a cell that
 * is too long for its field (nothing is cut in silence). */
#include "workers/link/dbf_out.h"

#include <errno.h>
#include <fcntl.h>
#include <shapefil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "workers/link/gb18030.h"

struct dbf_out {
	int fd;
	DBFHandle table;
	size_t n;
	int *widths;
	int rows;
	struct buf text;
};

static SAFile
on_open(const char *name, const char *access)
{
	char *end;
	long fd = strtol(name, &end, 10);
	int copy;

	if (strcmp(end, ".dbf") != 0 || (copy = dup((int)fd)) < 0)
		return NULL;
	return (SAFile)fdopen(copy, strchr(access, 'w') != NULL ? "w+" : "r+");
}

static SAOffset
on_read(void *out, SAOffset size, SAOffset n, SAFile file)
{
	return fread(out, size, n, (FILE *)file);
}

static SAOffset
on_write(void *data, SAOffset size, SAOffset n, SAFile file)
{
	return fwrite(data, size, n, (FILE *)file);
}

static SAOffset
on_seek(SAFile file, SAOffset offset, int whence)
{
	/* a seek to where the file stands would flush its buffer for nothing */
	if (whence == SEEK_SET && ftello((FILE *)file) == (off_t)offset)
		return 0;
	return (SAOffset)fseeko((FILE *)file, (off_t)offset, whence);
}

static SAOffset
on_tell(SAFile file)
{
	return (SAOffset)ftello((FILE *)file);
}

static int
on_flush(SAFile file)
{
	return fflush((FILE *)file);
}

static int
on_close(SAFile file)
{
	return fclose((FILE *)file);
}

static int
on_remove(const char *name)
{
	(void)name;
	return 0;
}

static void
on_error(const char *message)
{
	(void)message;
}

static DBFHandle
create_table(int fd)
{
	SAHooks hooks = {on_open, on_read, on_write, on_seek, on_tell, on_flush, on_close,
	    on_remove, on_error, atof};
	char name[16];

	snprintf(name, sizeof(name), "%d", fd);
	return DBFCreateLL(name, "LDID/77", &hooks); /* 77: Chinese GBK */
}

int
dbf_out_open(struct dbf_out **ret, const char *path, const struct dbf_field *fields, size_t n,
    struct err *err)
{
	struct dbf_out *o = xcalloc(1, sizeof(*o));
	bool ok = true;

	o->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (o->fd < 0) {
		free(o);
		return err_sys(err, "creating %s", path);
	}
	o->n = n;
	o->widths = xcalloc(n, sizeof(*o->widths));
	o->table = create_table(o->fd);
	for (size_t i = 0; o->table != NULL && i < n; i++) {
		buf_clear(&o->text);
		encode_gb18030(&o->text, span_str(fields[i].name));
		CHECK(o->text.len <= DBF_NAME_BYTES && fields[i].width <= 254);
		o->widths[i] = fields[i].width;
		ok = DBFAddField(o->table, (char *)o->text.data, FTString, fields[i].width, 0) >=
		         0 &&
		     ok;
	}
	*ret = o;
	if (o->table != NULL && ok)
		return 0;
	err_set(err, ERR_IO, "writing %s", path);
	dbf_out_close(o, NULL);
	return -1;
}

int
dbf_out_row(struct dbf_out *o, const struct span *cells, size_t n, struct err *err)
{
	for (size_t i = 0; i < o->n; i++) {
		buf_clear(&o->text);
		buf_add(&o->text, "", 0);
		if (i < n)
			encode_gb18030(&o->text, cells[i]);
		if (o->text.len > (size_t)o->widths[i])
			return err_set(err, ERR_FULL, "record %d: field %zu holds %d bytes",
			    o->rows, i, o->widths[i]);
		if (!DBFWriteStringAttribute(o->table, o->rows, (int)i, (char *)o->text.data))
			return err_set(err, ERR_IO, "writing record %d", o->rows);
	}
	o->rows++;
	return 0;
}

int
dbf_out_close(struct dbf_out *o, struct err *err)
{
	int rc = 0;

	if (o->table != NULL)
		DBFClose(o->table);
	if (fsync(o->fd) != 0 && errno != EINVAL)
		rc = err_sys(err, "writing the table");
	close(o->fd);
	free(o->widths);
	buf_done(&o->text);
	free(o);
	return rc;
}
