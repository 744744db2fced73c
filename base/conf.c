/* conf.c - a daemon's settings, read by libconfuse, judged by the daemon's table.
 *
 * libconfuse gets every key as text, so that numbers are read by our strict rules (its own would take
 * 010 for eight), and calls us back while it stands on the line, so that every complaint has its
 * place. Order: default, file, environment, flag; the later wins. Failures: a file that is absent,
 * too long or not text; a key that the table does not know (the nearest name is offered); a value
 * of the wrong kind or out of range. The first one found is reported. */
#include "base/conf.h"

#include <confuse.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/text.h"

#define FILE_MAX     (1U << 20)
#define NAME_MAX_LEN 64

struct value {
	char *text; /* owned */
	int64_t num;
};

struct conf {
	const struct conf_key *keys; /* borrowed */
	size_t count;
	struct value *values; /* owned, one for each key */
};

/* libconfuse hands its callbacks nothing of ours: what is being parsed, while it is. */
static _Thread_local struct {
	struct conf *conf;
	const char *path;
	struct err *err;
	bool failed;
} now;

static size_t
count_keys(const struct conf_key *keys)
{
	size_t n = 0;

	while (keys[n].name != NULL)
		n++;
	return n;
}

static int
find_key(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->keys[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

/* ---- values ------------------------------------------------------------------------------------ */

static bool
read_bool(const char *text, int64_t *ret)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*ret = strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static int
set_value(struct conf *c, size_t i, const char *text, struct err *err)
{
	const struct conf_key *key = &c->keys[i];
	const char *unit = key->unit != NULL ? key->unit : "";
	int64_t num = 0;

	if (key->type == CONF_BOOL && !read_bool(text, &num))
		return err_set(
		    err, ERR_INVALID, "%s = %s: neither true nor false", key->name, text);
	if (key->type == CONF_INT && !text_to_i64(text, strlen(text), &num))
		return err_set(err, ERR_INVALID, "%s = %s: not a whole number", key->name, text);
	if (key->type == CONF_INT && (num < key->min || num > key->max))
		return err_set(err, ERR_INVALID,
		    "%s = %s: not within %" PRId64 " to %" PRId64 "%s%s", key->name, text, key->min,
		    key->max, unit[0] != '\0' ? " " : "", unit);
	free(c->values[i].text);
	c->values[i].text = xstrdup(text);
	c->values[i].num = num;
	return 0;
}

static void
set_defaults(struct conf *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct conf_key *key = &c->keys[i];
		const char *def = key->def;
		struct err err = ERR_INIT;

		CHECK(strlen(key->name) < NAME_MAX_LEN);
		if (def == NULL)
			def = key->type == CONF_STR ? "" : key->type == CONF_INT ? "0" : "false";
		/* A table whose default breaks its own range is a defect of the program. */
		CHECK(set_value(c, i, def, &err) == 0);
	}
}

/* ---- the nearest name -------------------------------------------------------------------------- */

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to add, drop or change (Levenshtein), over one row of the table. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];

			row[j] = least(
			    above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U));
			diagonal = above;
		}
	}
	return row[len];
}

static int
unknown_key(const struct conf *c, const char *name, struct err *err)
{
	const char *nearest = NULL;
	size_t best = 4;

	for (size_t i = 0; i < c->count; i++) {
		size_t d = distance(name, c->keys[i].name);

		if (d < best && d < strlen(c->keys[i].name)) {
			best = d;
			nearest = c->keys[i].name;
		}
	}
	if (nearest == NULL)
		return err_set(err, ERR_INVALID, "unknown key %.64s", name);
	return err_set(err, ERR_INVALID, "unknown key %.64s, did you mean %s?", name, nearest);
}

/* ---- the file ---------------------------------------------------------------------------------- */

/* The first complaint stands; its place goes before it. */
static void
complain(const cfg_t *cfg, const struct err *what)
{
	bool main_file = cfg->filename == NULL || strcmp(cfg->filename, "[buf]") == 0;

	if (!now.failed)
		(void)err_set(now.err, what->code, "%s:%d: %s",
		    main_file ? now.path : cfg->filename, cfg->line, what->text);
	now.failed = true;
}

/* libconfuse quotes the option it does not know; its words may be translated, the quote is not. */
static void __attribute__((format(printf, 2, 0)))
on_confuse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[256], name[NAME_MAX_LEN];
	struct err what = ERR_INIT;
	const char *open;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)err_set(&what, ERR_INVALID, "%s", text);
	open = strchr(text, '\'');
	if (open != NULL && sscanf(open, "'%63[A-Za-z0-9_-]'", name) == 1 &&
	    find_key(now.conf, name) < 0)
		(void)unknown_key(now.conf, name, &what);
	complain(cfg, &what);
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct err what = ERR_INIT;
	int i = find_key(now.conf, cfg_opt_name(opt));
	const char *text = cfg_opt_getnstr(opt, 0);

	CHECK(i >= 0);
	if (set_value(now.conf, (size_t)i, text != NULL ? text : "", &what) == 0)
		return 0;
	complain(cfg, &what);
	return -1;
}

static int
parse_text(struct conf *c, const char *path, const struct buf *text, struct err *err)
{
	cfg_opt_t *opts = xcalloc(c->count + 2, sizeof(*opts));
	cfg_t *cfg;
	int rc;

	for (size_t i = 0; i < c->count; i++)
		opts[i] = (cfg_opt_t)CFG_STR(c->keys[i].name, NULL, CFGF_NODEFAULT);
	opts[c->count] = (cfg_opt_t)CFG_FUNC("include", &cfg_include);
	opts[c->count + 1] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(opts, CFGF_NONE);
	CHECK(cfg != NULL);
	(void)cfg_set_error_function(cfg, on_confuse_error);
	for (size_t i = 0; i < c->count; i++)
		(void)cfg_set_validate_func(cfg, c->keys[i].name, on_value);
	now.conf = c;
	now.path = path;
	now.err = err;
	now.failed = false;
	rc = cfg_parse_buf(cfg, (const char *)text->data);
	if (rc != CFG_SUCCESS && !now.failed)
		(void)err_set(err, ERR_INVALID, "%s: cannot be read as settings", path);
	(void)cfg_free(cfg);
	free(opts);
	return rc == CFG_SUCCESS && !now.failed ? 0 : -1;
}

static int
load_file(struct conf *c, const char *path, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = file_read(&text, path, FILE_MAX, err);

	if (rc == 0 && !utf8_valid(text.data, text.len))
		rc = err_set(err, ERR_INVALID, "%s: not UTF-8 text", path);
	if (rc == 0 && text.len > 0)
		rc = parse_text(c, path, &text, err);
	buf_done(&text);
	return rc;
}

/* ---- environment and flags --------------------------------------------------------------------- */

static int
load_environment(struct conf *c, struct err *err)
{
	for (size_t i = 0; i < c->count; i++) {
		char name[NAME_MAX_LEN + 3] = "HF_";
		const char *text;

		for (size_t k = 0; c->keys[i].name[k] != '\0'; k++)
			name[3 + k] = (char)toupper((unsigned char)c->keys[i].name[k]);
		text = getenv(name);
		if (text != NULL && text[0] != '\0' && set_value(c, i, text, err) != 0)
			return err_wrap(err, "environment %s", name);
	}
	return 0;
}

int
conf_load(struct conf **ret, const struct conf_key *keys, const char *path, struct err *err)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	c->keys = keys;
	c->count = count_keys(keys);
	c->values = xcalloc(c->count, sizeof(*c->values));
	set_defaults(c);
	if ((path != NULL && load_file(c, path, err) != 0) || load_environment(c, err) != 0) {
		conf_destroy(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void
conf_destroy(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		free(c->values[i].text);
	free(c->values);
	free(c);
}

int
conf_override(struct conf *c, const char *assignment, struct err *err)
{
	const char *equals = strchr(assignment, '=');
	char *name;
	int i, rc;

	if (equals == NULL)
		return err_set(err, ERR_INVALID, "%.64s: not key=value", assignment);
	name = xasprintf("%.*s", (int)(equals - assignment), assignment);
	i = find_key(c, name);
	rc = i < 0 ? unknown_key(c, name, err) : set_value(c, (size_t)i, equals + 1, err);
	free(name);
	return rc;
}

/* ---- asking and printing ----------------------------------------------------------------------- */

static const struct value *
get(const struct conf *c, const char *name, enum conf_type type)
{
	int i = find_key(c, name);

	CHECK(i >= 0 && c->keys[i].type == type);
	return &c->values[i];
}

int64_t
conf_int(const struct conf *c, const char *name)
{
	return get(c, name, CONF_INT)->num;
}

const char *
conf_str(const struct conf *c, const char *name)
{
	return get(c, name, CONF_STR)->text;
}

int
conf_bool(const struct conf *c, const char *name)
{
	return get(c, name, CONF_BOOL)->num != 0;
}

static void
print_text(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\' || *text == '$')
			buf_addc(out, '\\');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

void
conf_print(struct buf *out, const struct conf_key *keys, const struct conf *c)
{
	for (size_t i = 0; keys[i].name != NULL; i++) {
		const struct conf_key *key = &keys[i];
		const char *text = c != NULL ? c->values[i].text : key->def;

		buf_addf(out, "%s# %s", i > 0 ? "\n" : "", key->doc != NULL ? key->doc : key->name);
		if (key->type == CONF_INT)
			buf_addf(out, " (%" PRId64 " to %" PRId64 "%s%s)", key->min, key->max,
			    key->unit != NULL ? " " : "", key->unit != NULL ? key->unit : "");
		else if (key->type == CONF_BOOL)
			buf_adds(out, " (true or false)");
		buf_addf(out, "\n%s%s = ", c == NULL ? "#" : "", key->name);
		if (key->type == CONF_STR)
			print_text(out, text != NULL ? text : "");
		else
			buf_adds(out, text != NULL ? text : key->type == CONF_INT ? "0" : "false");
		buf_addc(out, '\n');
	}
}
