/* input.h - the file: what it is (by its content, never by its name), its hash, its encoding. */
#ifndef CTL_IMPORT_INPUT_H
#define CTL_IMPORT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/import/refuse.h"

#define INPUT_PACKED_MAX (256LL << 20) /* a zip; a sheet of a million rows packs to about 100 MiB */
#define INPUT_PLAIN_MAX  (2LL << 30)

enum input_format { INPUT_XLSX, INPUT_CSV, INPUT_DBF };
enum input_encoding { ENCODING_AUTO, ENCODING_UTF8, ENCODING_GB18030 };

struct input {
	int fd; /* borrowed; a regular file, read by pread alone */
	int64_t size;
	int64_t changed_ns; /* its mtime when it was opened */
};

struct input_facts {
	enum input_format format;
	char sha256[65];
	bool has_bom;     /* UTF-8 byte order mark */
	bool is_utf8;     /* all of it well-formed UTF-8 (DBF: of its records) */
	bool is_ascii;    /* nothing above 0x7f */
	int header_bytes; /* DBF */
};

/* Refuses what is no regular file. */
int input_init(struct input *in, int fd, struct refusal *no);
/* Reads up to n bytes at `at`; *ret_n 0 at the end. */
int input_read(
    const struct input *in, int64_t at, void *out, size_t n, size_t *ret_n, struct refusal *no);
/* One pass over the file. Refuses formats that are not ours, with the way to convert them. */
int input_look(const struct input *in, struct input_facts *ret, struct refusal *no);
/* Refuses a file that somebody wrote to since input_init. */
int input_unchanged(const struct input *in, struct refusal *no);

const char *input_format_word(enum input_format format);

#endif
