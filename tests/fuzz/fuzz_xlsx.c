/* XLSX: bytes that begin like a zip are the file; others are the parts of one, so that checksums do
 * not keep the fuzzer out: shared strings, NUL, sheet, NUL, workbook (or the usual one). */
#include <string.h>
#include <zip.h>

#include "tests/fuzz/import_once.h"

#define TYPES "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

static const char root_rels[] =
    "<r><Relationship Id='1' Type='" TYPES "officeDocument' Target='xl/workbook.xml'/></r>";
static const char book_rels[] = "<r><Relationship Id='1' Type='" TYPES
                                "worksheet' Target='s.xml'/><Relationship Id='2' Type='" TYPES
                                "sharedStrings' Target='/xl/t.xml'/></r>";
static const char book[] = "<workbook xmlns:r='x'><sheet name='a' r:id='1'/></workbook>";

static void
add(zip_t *zip, const char *name, const void *data, size_t len)
{
	zip_source_t *part = zip_source_buffer(zip, data, len, 0);
	zip_int64_t index;

	if (part == NULL || (index = zip_file_add(zip, name, part, 0)) < 0 ||
	    zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) != 0)
		abort();
}

static struct span
part_of(struct span *left)
{
	const uint8_t *nul = left->len == 0 ? NULL : memchr(left->data, '\0', left->len);
	size_t n = nul == NULL ? left->len : (size_t)(nul - left->data);
	struct span part = span_of(left->data, n);

	n += nul != NULL;
	*left = span_of(left->data + n, left->len - n);
	return part;
}

static struct span
packed(struct span left)
{
	struct span strings = part_of(&left), sheet = part_of(&left), workbook = part_of(&left);
	zip_source_t *out = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *zip = zip_open_from_source(out, ZIP_TRUNCATE, NULL);
	static uint8_t bytes[1 << 20];
	zip_int64_t n;

	if (zip == NULL)
		abort();
	if (workbook.len == 0)
		workbook = span_str(book);
	zip_source_keep(out);
	add(zip, "_rels/.rels", root_rels, strlen(root_rels));
	add(zip, "xl/_rels/workbook.xml.rels", book_rels, strlen(book_rels));
	add(zip, "xl/workbook.xml", workbook.data, workbook.len);
	add(zip, "xl/t.xml", strings.data, strings.len);
	add(zip, "xl/s.xml", sheet.data, sheet.len);
	if (zip_close(zip) != 0 || zip_source_open(out) != 0)
		abort();
	n = zip_source_read(out, bytes, sizeof(bytes));
	if (n < 0)
		abort();
	zip_source_close(out);
	zip_source_free(out);
	return span_of(bytes, (size_t)n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span input = span_of(data, len);

	if (len > (1 << 19))
		return 0;
	import_once(&roster_kind, len >= 2 && memcmp(data, "PK", 2) == 0 ? input : packed(input));
	return 0;
}
