/* Unpacks entries one after the other. Failures: no zip, cut, too many entries, encrypted, another
 * method, a wrong checksum, or more bytes coming out than any honest sheet has: a bomb. */

#include "ctl/import/pack.h"

#include <stdlib.h>
#include <unistd.h>
#include <zip.h>

#include "base/check.h"

struct pack {
	zip_t *zip;
	int64_t unpacked, limit;
};

struct pack_stream {
	struct pack *pack;
	zip_file_t *file;
};

static int
refuse_damaged(struct refusal *no)
{
	return refuse(
	    no, REFUSE_DAMAGED, "文件损坏或不完整；请用 Excel 或 WPS 打开，另存为 .xlsx 再导入");
}

int
pack_open(struct pack **ret, const struct input *in, struct refusal *no)
{
	struct pack *p;
	zip_t *zip;
	int why, fd = dup(in->fd);

	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return refuse(no, REFUSE_IO, "读不了文件");
	zip = zip_fdopen(fd, 0, &why);
	if (zip == NULL) {
		close(fd);
		return refuse_damaged(no);
	}
	if (zip_get_num_entries(zip, 0) > PACK_ENTRIES) {
		zip_discard(zip);
		return refuse(no, REFUSE_UNSAFE,
		    "压缩包里有 %d 个以上的部件，不像一份名单；请另存为新的 .xlsx", PACK_ENTRIES);
	}
	p = xcalloc(1, sizeof(*p));
	p->zip = zip;
	p->limit = in->size * PACK_RATIO;
	if (p->limit < PACK_FREE)
		p->limit = PACK_FREE;
	if (p->limit > PACK_TOTAL)
		p->limit = PACK_TOTAL;
	*ret = p;
	return 0;
}

void
pack_close(struct pack *p)
{
	if (p == NULL)
		return;
	zip_discard(p->zip);
	free(p);
}

int
pack_count(const struct pack *p)
{
	return (int)zip_get_num_entries(p->zip, 0);
}

const char *
pack_name(const struct pack *p, int index)
{
	const char *name = zip_get_name(p->zip, (zip_uint64_t)index, 0);

	return name == NULL ? "" : name;
}

int
pack_find(const struct pack *p, const char *name)
{
	zip_int64_t index = zip_name_locate(p->zip, name, 0);

	if (index < 0)
		index = zip_name_locate(p->zip, name, ZIP_FL_NOCASE);
	return (int)index;
}

int
pack_stream_open(struct pack_stream **ret, struct pack *p, int index, struct refusal *no)
{
	zip_stat_t st;
	zip_file_t *file;
	struct pack_stream *s;

	if (zip_stat_index(p->zip, (zip_uint64_t)index, 0, &st) != 0)
		return refuse_damaged(no);
	if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE)
		return refuse(no, REFUSE_OLD_EXCEL, "文件加了密码；请去掉密码再导入");
	if ((st.valid & ZIP_STAT_COMP_METHOD) && st.comp_method != ZIP_CM_STORE &&
	    st.comp_method != ZIP_CM_DEFLATE)
		return refuse(no, REFUSE_UNSAFE,
		    "压缩方式不是 .xlsx 用的那种；请用 Excel 或 WPS 另存为 .xlsx");
	file = zip_fopen_index(p->zip, (zip_uint64_t)index, 0);
	if (file == NULL)
		return refuse_damaged(no);
	s = xcalloc(1, sizeof(*s));
	s->pack = p;
	s->file = file;
	*ret = s;
	return 0;
}

void
pack_stream_close(struct pack_stream *s)
{
	if (s == NULL)
		return;
	zip_fclose(s->file);
	free(s);
}

int
pack_stream_read(struct pack_stream *s, void *out, size_t n, size_t *ret_n, struct refusal *no)
{
	zip_int64_t got = zip_fread(s->file, out, n);

	if (got < 0)
		return refuse_damaged(no);
	s->pack->unpacked += got;
	if (s->pack->unpacked > s->pack->limit)
		return refuse(no, REFUSE_BOMB,
		    "文件解开后大得不合常理（超过 %d 倍或 2 GiB），没有再读；"
		    "请把名单复制到新的工作簿再导入",
		    PACK_RATIO);
	*ret_n = (size_t)got;
	return 0;
}
