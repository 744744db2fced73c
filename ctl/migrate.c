/* Which schema files a database still needs, and applies them.
 *
 * Happy path: list and hash the files, take the lock, compare with hf.migration, run what is new: one
 * transaction a file, the row of the list in the same one. Failures: files that are not 0001, 0002 …,
 * an applied file that changed or went away, SQL that fails; each ends the run with what was applied
 * before it left in place. The list is made by file 0001 itself, so an empty database has none. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/pg.h"
#include "base/text.h"
#include "ctl/migrate.h"

#define FILES_MAX 999
#define FILE_MAX  (1024 * 1024)
#define LOCK_SQL  "SELECT pg_advisory_lock(hashtextextended('hf db migrate', 0))"

struct step {
	char *name; /* owned: 0001_roles.sql */
	char *text; /* owned */
	char sum[2 * HASH_LEN + 1];
};

struct steps {
	struct step *step; /* owned, step[i] is number i + 1 */
	size_t n;
};

static void
steps_done(struct steps *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->step[i].name);
		free(s->step[i].text);
	}
	free(s->step);
}

static int
is_step(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 9 && strspn(d->d_name, "0123456789") == 4 && d->d_name[4] == '_' &&
	       strcmp(d->d_name + len - 4, ".sql") == 0;
}

static int
load_step(struct step *ret, const char *dir, const char *name, size_t number, struct err *err)
{
	struct buf text = BUF_INIT;
	uint8_t hash[HASH_LEN];
	char *path;
	int rc;

	if ((size_t)strtoul(name, NULL, 10) != number)
		return err_set(err, ERR_INVALID, "%s: expected file number %04zu", name, number);
	path = xasprintf("%s/%s", dir, name);
	rc = file_read(&text, path, FILE_MAX, err);
	free(path);
	if (rc != 0)
		return -1;
	struct span bytes = buf_span(&text);
	crypt_hash(hash, &bytes, 1);
	hex_encode(ret->sum, hash, sizeof(hash));
	buf_addc(&text, '\n');
	ret->text = buf_steal(&text, NULL);
	ret->name = xstrdup(name);
	return 0;
}

static int
load_steps(struct steps *ret, const char *dir, struct err *err)
{
	struct dirent **list;
	int n = scandir(dir, &list, is_step, alphasort);
	int rc = 0;

	if (n < 0)
		return err_sys(err, "%s", dir);
	if (n == 0 || n > FILES_MAX)
		rc = err_set(err, ERR_INVALID, "%s: holds %d schema files", dir, n);
	ret->step = xcalloc((size_t)n + 1, sizeof(*ret->step));
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = load_step(&ret->step[i], dir, list[i]->d_name, (size_t)i + 1, err);
		if (rc == 0)
			ret->n++;
		free(list[i]);
	}
	free(list);
	return rc;
}

/* ret_applied: how many files the database has, all of them equal to ours. */
static int
compare(struct pg *pg, const struct steps *s, size_t *ret_applied, struct err *err)
{
	struct pg_result *r;
	int rc = 0;

	if (pg_exec(pg, "SELECT to_regclass('hf.migration') IS NOT NULL", NULL, 0, &r, err) != 0)
		return -1;
	bool known = span_eq_str(pg_get(r, 0, 0), "t");
	pg_free(r);
	*ret_applied = 0;
	if (!known)
		return 0;
	if (pg_exec(pg, "SELECT number, name, checksum FROM hf.migration ORDER BY number", NULL, 0,
	        &r, err) != 0)
		return -1;
	for (int i = 0; i < pg_rows(r) && rc == 0; i++) {
		int64_t number = pg_get_i64(r, i, 0);
		struct span name = pg_get(r, i, 1);

		if (number != i + 1 || (size_t)i >= s->n)
			rc = err_set(err, ERR_STALE,
			    "the database has migration %.*s, which this program "
			    "does not know: install the newer version",
			    (int)name.len, (const char *)name.data);
		else if (!span_eq_str(name, s->step[i].name) ||
		         !span_eq_str(pg_get(r, i, 2), s->step[i].sum))
			rc = err_set(err, ERR_STALE,
			    "%s was changed after it was applied: put it back, "
			    "and add a file for the change",
			    s->step[i].name);
	}
	*ret_applied = (size_t)pg_rows(r);
	pg_free(r);
	return rc;
}

static int
apply(struct pg *pg, const struct step *s, size_t number, struct err *err)
{
	struct pg_param row[] = {
	    pg_i64((int64_t)number),
	    pg_text(s->name),
	    pg_text(s->sum),
	};
	const char *note = "INSERT INTO hf.migration (number, name, checksum) VALUES ($1, $2, $3)";

	if (pg_exec(pg, "BEGIN", NULL, 0, NULL, err) != 0)
		return -1;
	if (pg_script(pg, s->text, err) != 0 || pg_exec(pg, note, row, 3, NULL, err) != 0 ||
	    pg_exec(pg, "COMMIT", NULL, 0, NULL, err) != 0) {
		(void)err_wrap(err, "%s", s->name);
		if (pg_ok(pg))
			(void)pg_exec(pg, "ROLLBACK", NULL, 0, NULL, NULL);
		return -1;
	}
	return 0;
}

static int
run(struct pg *pg, const struct steps *s, struct err *err)
{
	size_t applied;

	if (pg_exec(pg, "SET lock_timeout = '1min'", NULL, 0, NULL, err) != 0 ||
	    pg_exec(pg, "SET statement_timeout = '10min'", NULL, 0, NULL, err) != 0 ||
	    pg_exec(pg, "SET client_min_messages = warning", NULL, 0, NULL, err) != 0)
		return -1;
	if (pg_exec(pg, LOCK_SQL, NULL, 0, NULL, err) != 0)
		return err_wrap(err, "waiting for another migration");
	if (compare(pg, s, &applied, err) != 0)
		return -1;
	for (size_t i = applied; i < s->n; i++)
		if (apply(pg, &s->step[i], i + 1, err) != 0)
			return -1;
	return 0;
}

int
migrate_run(const char *conninfo, const char *schema_dir, struct err *err)
{
	struct steps s = {0};
	struct pg *pg = NULL;
	int rc = -1;

	/* The lock goes with the connection. */
	if (load_steps(&s, schema_dir, err) == 0 && pg_open(&pg, conninfo, err) == 0)
		rc = run(pg, &s, err);
	pg_close(pg);
	steps_done(&s);
	return rc;
}
