/* conf.h - a daemon's settings from one const table; the one wrapper of libconfuse.
 *
 * The table is parser, defaults, ranges, --print-config and manual at once. Order of authority:
 * flags, environment (HF_<KEY> in capitals), file, default. An unknown key is refused with the
 * nearest name; every error says file:line. Secrets are given by file path, never by value. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum conf_type { CONF_INT, CONF_STR, CONF_BOOL };

struct conf_key {
	const char *name; /* lower_case */
	enum conf_type type;
	const char *def;  /* default as text; NULL for "" / 0 / false */
	int64_t min, max; /* CONF_INT only */
	const char *unit; /* "ms", "bytes" … or NULL */
	const char *doc;  /* one line */
};

struct conf;

/* keys: terminated by a row without name, must outlive the conf. path may be NULL: no file. */
int conf_load(struct conf **ret, const struct conf_key *keys, const char *path, struct err *err);
void conf_destroy(struct conf *c);
/* A flag's word: "key=value". */
int conf_override(struct conf *c, const char *assignment, struct err *err);
int64_t conf_int(const struct conf *c, const char *name); /* CHECKs that the key is in the table */
const char *conf_str(const struct conf *c, const char *name); /* "" when empty; borrowed */
int conf_bool(const struct conf *c, const char *name);
/* The commented file that deploy/conf/ ships; with current values instead of defaults if c. */
void conf_print(struct buf *out, const struct conf_key *keys, const struct conf *c);

#endif
